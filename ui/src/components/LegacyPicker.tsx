import type { Legacy } from "@mosaiclife/plugin-sdk";
import { copy } from "../copy";

export interface LegacyPickerProps {
  legacies: readonly Legacy[];
  value: string;
  onChange: (id: string) => void;
}

/** Choose whose memory to look at; nothing to choose, nothing shown. */
export function LegacyPicker({ legacies, value, onChange }: LegacyPickerProps) {
  if (legacies.length < 2) return null;
  return (
    <label className="picker">
      <span>{copy.whose}</span>
      <select value={value} onChange={(event) => onChange(event.target.value)}>
        {legacies.map(({ id, name }) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}
