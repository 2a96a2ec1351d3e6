/** Where nothing is yet: an invitation, never zeros. */
export function EmptyState({ text }: { text: string }) {
  return <p className="empty">{text}</p>;
}
