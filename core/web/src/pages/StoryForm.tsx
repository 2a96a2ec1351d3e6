import { SdkHttpError, type Envelope, type Http, type Legacy } from "@mosaiclife/plugin-sdk";
import { useId, useState, type FormEvent } from "react";
import { useServices } from "../data/context";
import type { Story } from "../data/model";

export interface StoryFormProps {
  legacy: Legacy;
  onTold: (story: Story) => void;
}

type Stage = "writing" | "sending" | "kept" | "not-kept";

/** Tell a memory. Words that could not be kept stay where they were written. */
export function StoryForm({ legacy, onTold }: StoryFormProps) {
  const { http } = useServices();
  const field = useId();
  const [title, setTitle] = useState("");
  const [stage, setStage] = useState<Stage>("writing");
  const [reason, setReason] = useState("");

  async function tell(event: FormEvent): Promise<void> {
    event.preventDefault();
    const words = title.trim();
    if (words === "" || stage === "sending") return;
    setStage("sending");
    try {
      onTold(await keep(http, legacy.id, words));
      setTitle("");
      setStage("kept");
    } catch (error) {
      setReason(whyNot(error));
      setStage("not-kept");
    }
  }

  return (
    <form className="card story" data-testid="story-form" onSubmit={(event) => void tell(event)}>
      <h2 className="section-title">Tell a memory</h2>
      <label htmlFor={field}>What do you remember of {legacy.name}?</label>
      <input
        id={field}
        data-testid="story-title"
        value={title}
        maxLength={200}
        required
        autoComplete="off"
        placeholder="A few words are enough"
        onChange={(event) => setTitle(event.target.value)}
      />
      <div className="story-row">
        <button
          type="submit"
          className="button"
          data-testid="story-submit"
          aria-disabled={stage === "sending"}
        >
          Keep this memory
        </button>
        <p role="status" className="hint">
          {stage === "kept" && "Thank you. Your memory is kept."}
          {stage === "not-kept" && reason}
        </p>
      </div>
    </form>
  );
}

async function keep(http: Http, legacyId: string, title: string): Promise<Story> {
  const path = `/legacies/${encodeURIComponent(legacyId)}/stories`;
  const answer = await http.request<Envelope<Partial<Story>>>(path, {
    method: "POST",
    body: { title },
  });
  return { id: answer.data.id ?? crypto.randomUUID(), title };
}

const LATER = "It could not be kept just now. Your words are still here; please try again.";

/** A complaint about the words themselves helps; any other cause is not the teller's concern. */
function whyNot(error: unknown): string {
  const [detail] = error instanceof SdkHttpError && error.status === 422 ? error.details : [];
  return detail === undefined ? LATER : `${LATER} (${detail.message})`;
}
