/** Text for XML: the five signs that mean something there, and nothing that XML 1.0 has no character for. */
export function xmlText(text: string): string {
  const named: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
  return (
    text
      // oxlint-disable-next-line no-control-regex -- These, and halves of a character, are what XML cannot hold.
      .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Cs}/gu, '\ufffd')
      .replaceAll(/[&<>"']/g, (sign) => named[sign]!)
  );
}
