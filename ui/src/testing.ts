/** What the tests of this folder share. */
import { act } from "@testing-library/react";

export * from "./samples";

/** Do something, and wait until its answers have arrived and are shown. */
export async function settled<T>(action: () => T): Promise<T> {
  let result: T | undefined;
  await act(() => {
    result = action();
    return Promise.resolve();
  });
  return result as T;
}
