import { copy } from "../copy";

export interface TitleProps {
  as: "h1" | "h2";
  id: string;
  /** Who is remembered; without a name the title stays general. */
  name: string | undefined;
}

/** "Remembering Astrid": the word small, the name in its own right. */
export function Title({ as: Heading, id, name }: TitleProps) {
  if (name === undefined) {
    return (
      <Heading id={id} className="title">
        <span className="name">{copy.gathered}</span>
      </Heading>
    );
  }
  return (
    <Heading id={id} className="title">
      <span className="eyebrow">{copy.remembering}</span> <span className="name">{name}</span>
    </Heading>
  );
}
