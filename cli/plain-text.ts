/** Whatever could move a cursor, colour a line or turn the reading direction: control and formatting characters, and what Unicode has not assigned. */
const unprintable = /\p{C}/gu;
/** As above and line separators, but for the line breaks between the members of a JSON document. */
const unescaped = /[[\p{C}\u2028\u2029]--[\n]]/gv;

/** One line that a terminal shows as it is. What others wrote is not trusted to be one, wherever it was kept meanwhile. */
export function plainText(text: string): string {
  return text.replace(unprintable, '\ufffd').replace(/[\u2028\u2029]/g, '\ufffd');
}

/** JSON whose strings are what they were, written so that a terminal that shows it does nothing else. */
export function plainJson(document: object): string {
  return JSON.stringify(document, undefined, 2).replace(unescaped, (character) =>
    [...Array(character.length).keys()].map((at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`).join(''),
  );
}
