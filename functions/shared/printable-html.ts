import { createHash } from 'node:crypto';
import { style } from './printable-style.ts';

const styleHash = createHash('sha256').update(style).digest('base64');

/** A page to read and to print: whole in itself, without a script, and with nothing from elsewhere. Nothing is loaded and nothing runs, whatever a name in it holds. */
export function printableDocument(title: string, body: string): string {
  const policy = `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action 'none'`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<style>${style}</style>
</head>
<body>
<main>
${body}
</main>
</body>
</html>
`;
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** As text and nothing else; what cannot be seen, e.g. what turns the direction of writing, is shown as a character that can. */
export function escaped(text: string): string {
  return text.replace(/\p{C}/gu, '\uFFFD').replace(/[&<>"']/g, (character) => entities[character] ?? '');
}

/** `content` is HTML. */
export function section(heading: string, content: string, className?: string): string {
  return `<section${className === undefined ? '' : ` class="${className}"`}><h2>${escaped(heading)}</h2>${content}</section>`;
}

/** Cells are text. */
export function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const head = columns.map((column) => `<th scope="col">${escaped(column)}</th>`).join('');
  const body = rows.map((cells) => `<tr>${cells.map((cell) => `<td>${escaped(cell)}</td>`).join('')}</tr>`).join('');
  return `<table><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table>`;
}

/** Names and values are text. */
export function facts(rows: readonly (readonly [string, string])[]): string {
  return `<dl>${rows.map(([name, value]) => `<div><dt>${escaped(name)}</dt><dd>${escaped(value)}</dd></div>`).join('')}</dl>`;
}

/** What to do with a document that is not as it was signed. */
export function notAsSigned(problems: readonly string[]): string {
  const items = problems.map((problem) => `<li>${escaped(problem)}</li>`).join('');
  return `<section class="bad" role="alert"><h2>Do not rely on this: it is not what was signed</h2><ul>${items}</ul></section>`;
}
