/** What a text says as JSON, undefined when it is none. The parser's own message is lost on purpose: it quotes the text, which may be secret or somebody else's. */
export function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
