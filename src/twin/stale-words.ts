/** What is said of a latest value that is older than its pack counts as current. */
export function staleWords(ageDays: number, staleAfterDays: number): string {
  return `${Math.floor(ageDays)} days old; the pack counts a value as stale after ${staleAfterDays}.`;
}
