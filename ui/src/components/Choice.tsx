import { useId } from "react";

export interface ChoiceProps<T extends string> {
  legend: string;
  options: readonly T[];
  value: T;
  nameOf: (option: T) => string;
  onChange: (option: T) => void;
}

/** One of a few, side by side; radio buttons underneath. */
export function Choice<T extends string>(props: ChoiceProps<T>) {
  const { legend, options, value, nameOf, onChange } = props;
  const group = useId();
  return (
    <fieldset className="choice">
      <legend>{legend}</legend>
      {options.map((option) => (
        <label key={option}>
          <input
            type="radio"
            name={group}
            value={option}
            checked={option === value}
            onChange={() => onChange(option)}
          />
          <span>{nameOf(option)}</span>
        </label>
      ))}
    </fieldset>
  );
}
