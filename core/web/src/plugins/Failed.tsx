/** Say that a chosen action did not work; empty, and ready to speak, while none has failed. */
export function Failed({ title }: { title: string | undefined }) {
  return (
    <p role="status" className="hint">
      {title !== undefined && `“${title}” did not work just now. Please try again later.`}
    </p>
  );
}
