/** The same as a drawing: who is taken over, through which role, and what can be reached. Whole in itself, with nothing from elsewhere and no script. */
import type { BlastRadius } from '../blast-radius/blast-radius.ts';
import { type Level, widest } from '../blast-radius/level.ts';
import { plainText } from '../plain-text.ts';
import { type Grouped, grouped } from './blast-radius-view.ts';

const colours: Readonly<Record<Level, string>> = { all: '#b3261e', callers: '#b26a00', one: '#1b6e3c', none: '#5f6368' };
const legends: Readonly<Record<Level, string>> = {
  all: 'every tenant',
  callers: 'tenants whose callers come by meanwhile',
  one: 'one tenant',
  none: 'no tenant',
};

/** A short text for a box; the whole stands in the table. */
const shown = (text: string, length: number): string => {
  const plain = [...plainText(text)];
  return plain.length <= length ? plain.join('') : `${plain.slice(0, length - 1).join('')}…`;
};
const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => entities[character] ?? '');

interface Branch {
  readonly through: string;
  readonly groups: readonly Grouped[];
}

function branchesOf({ rows }: BlastRadius): readonly Branch[] {
  const all = grouped(rows);
  return [...new Set(all.map(({ through }) => through))].map((through) => ({
    through,
    groups: all.filter((one) => one.through === through),
  }));
}

const lineHeight = 17;
/** Where each of the four words of the legend begins. */
const legendAt = [0, 150, 480, 620];
const columns = { subject: 20, through: 300, what: 640, width: 1180 };

/** An SVG document. */
export function blastRadiusSvg(radius: BlastRadius): string {
  const branches = branchesOf(radius);
  const parts: string[] = [];
  let y = 70;
  const middles: { readonly y: number; readonly level: Level }[] = [];
  for (const { through, groups } of branches) {
    const top = y;
    const boxes = groups.map((group) => {
      const lines = [`${group.verbs.join(', ')}${group.asks.length === 0 ? '' : `: has ${group.asks.join(', ')} act`}`, ...group.things];
      const height = lines.length * lineHeight + 10;
      const box = { y, height, level: group.tenants, lines };
      y += height + 12;
      return box;
    });
    const middle = (top + y - 12) / 2;
    middles.push({ y: middle, level: widest(groups.map(({ tenants }) => tenants)) });
    for (const box of boxes) {
      parts.push(edge(columns.through + 290, middle, columns.what, box.y + box.height / 2, box.level));
      parts.push(rectangle(columns.what, box.y, 520, box.height, box.level));
      box.lines.forEach((line, at) => {
        parts.push(label(columns.what + 10, box.y + (at + 1) * lineHeight, shown(line, 76), at === 0 ? 'bold' : 'normal'));
      });
    }
    parts.push(rectangle(columns.through, middle - 16, 290, 32, widest(groups.map(({ tenants }) => tenants))));
    parts.push(label(columns.through + 10, middle + 5, shown(through, 40), 'normal'));
    y += 14;
  }
  const height = Math.max(y, 130);
  const centre = (70 + height) / 2;
  const title = `Blast radius of the ${radius.kind} ${plainText(radius.subject)}`;
  const levels: readonly Level[] = ['all', 'callers', 'one', 'none'];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${columns.width}" height="${height}" viewBox="0 0 ${columns.width} ${height}" role="img" font-family="system-ui, sans-serif" font-size="13">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${columns.width}" height="${height}" fill="#ffffff"/>`,
    label(20, 28, title, 'bold'),
    ...levels.map(
      (level, at) => `<text x="${20 + (legendAt[at] ?? 0)}" y="52" fill="${colours[level]}">■ ${escaped(legends[level])}</text>`,
    ),
    ...middles.map((one) => edge(columns.subject + 230, centre, columns.through, one.y, one.level)),
    rectangle(columns.subject, centre - 20, 230, 40, radius.tenants),
    label(columns.subject + 10, centre + 5, shown(radius.subject, 30), 'bold'),
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}

const rectangle = (x: number, y: number, width: number, height: number, level: Level): string =>
  `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="5" fill="#ffffff" stroke="${colours[level]}" stroke-width="1.5"/>`;
const label = (x: number, y: number, text: string, weight: 'normal' | 'bold'): string =>
  `<text x="${x}" y="${y}" font-weight="${weight}" fill="#202124">${escaped(text)}</text>`;
const edge = (fromX: number, fromY: number, toX: number, toY: number, level: Level): string => {
  const half = (fromX + toX) / 2;
  return `<path d="M${fromX} ${fromY} C${half} ${fromY} ${half} ${toY} ${toX} ${toY}" fill="none" stroke="${colours[level]}"/>`;
};

/** A page that holds the drawing. Nothing is loaded and nothing runs. */
export function blastRadiusHtml(radius: BlastRadius): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; base-uri 'none'; form-action 'none'">
<title>${escaped(`Blast radius of ${plainText(radius.subject)}`)}</title>
</head>
<body>
${blastRadiusSvg(radius)}</body>
</html>
`;
}

/** Mermaid's text, for a page that draws it. */
export function blastRadiusMermaid(radius: BlastRadius): string {
  const text = (value: string): string => `"${plainText(value).replace(/["&<>#]/g, (character) => `#${character.charCodeAt(0)};`)}"`;
  const used = new Set<Level>([radius.tenants]);
  const lines = branchesOf(radius).flatMap(({ through, groups }, at) => {
    const level = widest(groups.map(({ tenants }) => tenants));
    used.add(level);
    return [
      `  subject --> role${at}[${text(through)}]:::${level}`,
      ...groups.map((group, index) => {
        used.add(group.tenants);
        return `  role${at} -- ${text(group.verbs.join(', '))} --> thing${at}_${index}[${text([...group.things, ...group.asks.map((asked) => `has ${asked} act`)].join(' · '))}]:::${group.tenants}`;
      }),
    ];
  });
  return [
    'flowchart LR',
    `  subject(${text(`${radius.kind} ${radius.subject}`)}):::${radius.tenants}`,
    ...lines,
    ...[...used].map((level) => `  classDef ${level} stroke:${colours[level]},stroke-width:2px`),
    '',
  ].join('\n');
}
