/**
 * Tenants and users as letters of their own. In a proof the session's tenant is not `acme` but one letter that occurs nowhere else, so what is shown holds for
 * whatever ID the letter stands for: for every name that speaks of IDs there is one that speaks of letters, which the patterns answer alike. That is the parsing lemma, tested in
 * `letters.test.ts`; it rests on every variable standing between characters that no ID holds.
 */

/** The session's tenant. */
export const own = '\ue000';
/** Another tenant, where one has to be named: the owner of a dedicated role or key. */
export const other = '\ue001';
/** The session's user. */
export const self = '\ue002';

const names: readonly (readonly [letter: string, name: string])[] = [
  [own, 'acme'],
  [other, 'globex'],
  [self, 'a'.repeat(26)],
];

/** With IDs in the letters' place, for people and for the evaluator. */
export function spelled(text: string): string {
  return names.reduce((result, [letter, name]) => result.replaceAll(letter, name), text);
}

/** A document with IDs in the letters' place. */
export function spelledIn<T>(value: T): T {
  return JSON.parse(spelled(JSON.stringify(value)));
}
