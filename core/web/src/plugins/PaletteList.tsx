import { useId, useState, type KeyboardEvent } from "react";
import type { Action } from "./actions";
import { fitting } from "./fitting";

export interface PaletteListProps {
  actions: readonly Action[];
  choose: (action: Action) => void;
}

/** A field that filters, and what fits: a combobox with its listbox, by the ARIA pattern. */
export function PaletteList({ actions, choose }: PaletteListProps) {
  const id = useId();
  const [words, setWords] = useState("");
  const [active, setActive] = useState(0);
  const found = fitting(actions, words);
  const optionId = (index: number) => `${id}-${index}`;

  const keys: Readonly<Record<string, () => void>> = {
    ArrowDown: () => setActive((active + 1) % found.length),
    ArrowUp: () => setActive((active + found.length - 1) % found.length),
    Enter: () => found[active] && choose(found[active]),
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const act = event.nativeEvent.isComposing ? undefined : keys[event.key];
    if (act === undefined) return;
    event.preventDefault();
    if (found.length > 0) act();
  };
  return (
    <>
      <input
        type="text"
        role="combobox"
        aria-label="What would you like to do?"
        aria-expanded={found.length > 0}
        aria-controls={id}
        aria-autocomplete="list"
        aria-activedescendant={found.length > 0 ? optionId(active) : undefined}
        placeholder="What would you like to do?"
        autoComplete="off"
        spellCheck={false}
        value={words}
        onChange={(event) => {
          setWords(event.target.value);
          setActive(0);
        }}
        onKeyDown={onKeyDown}
      />
      <ul id={id} role="listbox" aria-label="Commands">
        {found.map((action, index) => (
          <li
            key={action.key}
            id={optionId(index)}
            role="option"
            aria-selected={index === active}
            ref={(row) => {
              if (index === active) row?.scrollIntoView({ block: "nearest" });
            }}
            onPointerMove={() => setActive(index)}
            onClick={() => choose(action)}
          >
            <span>{action.title}</span> <span className="source">{action.source}</span>
          </li>
        ))}
      </ul>
      <p role="status" className="hint">
        {found.length === 0 && "Nothing by that name."}
      </p>
    </>
  );
}
