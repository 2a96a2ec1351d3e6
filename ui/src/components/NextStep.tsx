import { copy } from "../copy";
import { nextStep, type Counts } from "../data/overview";

/** One kind next step at most. */
export function NextStep({ counts }: { counts: Counts }) {
  const step = nextStep(counts);
  return step === undefined ? null : <p className="next-step">{copy.step(step)}</p>;
}
