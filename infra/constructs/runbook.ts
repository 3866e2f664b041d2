/** How an alarm names its runbook: the last words of its description. The anchor is the one that Git hosts make of the heading. */
export function runbook(heading: string): string {
  return `docs/runbooks.md#${heading.toLowerCase().replaceAll(' ', '-')}`;
}
