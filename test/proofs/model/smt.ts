/** A question as SMT-LIB 2 text, and the request that an answer describes. */
import type { Formula, Request } from './formula.ts';
import type { NameClass } from './names.ts';

/** Slot name to its value or values; a slot that is absent has none. */
export type Values = ReadonlyMap<string, readonly string[]>;

/** A variable of a script, and its value. */
export interface Literal {
  readonly name: string;
  readonly value: boolean;
}

export interface Script {
  /** Declarations and assertions, without `check-sat`. */
  readonly text: string;
  readonly assertions: number;
  /** The literals of a slot that has one value, which answers its tests so. */
  readonly answering: (slot: string, answers: readonly boolean[]) => readonly Literal[];
  /** By slot that may be absent: what has to hold for it to have no value. */
  readonly without: ReadonlyMap<string, readonly Literal[]>;
  /** A formula about the same request, in which no test is new. */
  readonly print: (formula: Formula) => string;
  readonly read: (model: ReadonlyMap<string, boolean>) => Values;
}

/** The value of a slot of several values that is empty counts as none at all when it is the only one (IAM User Guide, "Single-valued vs. multivalued context keys"). */
const isEmptyText = ({ text }: NameClass): boolean => text === '';

/** Asserts `what` of some request. The script is satisfiable when there is such a request. */
export function scriptFor(request: Request, what: Formula): Script {
  const lines: string[] = [];
  const without = new Map<string, readonly Literal[]>();
  const declare = (name: string): string => {
    lines.push(`(declare-const ${name} Bool)`);
    return name;
  };
  const names = [...request.slots.keys()];
  const classes = new Map(names.map((name) => [name, request.classes(name)]));
  for (const [index, name] of names.entries()) {
    const slot = request.slots.get(name);
    const of = classes.get(name) ?? [];
    if (slot?.several === true) {
      const members = of.map((_, at) => declare(`in_${index}_${at}`));
      without.set(
        name,
        members.map((member) => ({ name: member, value: false })),
      );
      // Just the empty text, once.
      const single = declare(`single_${index}`);
      const others = members.filter((_, at) => of[at]?.text !== '');
      const empties = members.filter((_, at) => of[at]?.text === '');
      lines.push(
        `(assert (=> ${single} ${all([...empties, ...others.map((one) => `(not ${one})`), ...(empties.length === 0 ? ['false'] : [])])}))`,
      );
    } else {
      if (slot?.required === false) without.set(name, [{ name: declare(`has_${index}`), value: false }]);
      const tests = (slot?.tests ?? []).map((_, at) => declare(`t_${index}_${at}`));
      lines.push(`(assert ${any(of.map(({ answers }) => all(tests.map((test, at) => (answers[at] === true ? test : `(not ${test})`)))))})`);
    }
  }
  const print = (formula: Formula): string => {
    if (typeof formula === 'boolean') return String(formula);
    if (formula.op === 'and') return all(formula.of.map(print));
    if (formula.op === 'or') return any(formula.of.map(print));
    if (formula.op === 'not') return `(not ${print(formula.of)})`;
    const index = names.indexOf(formula.slot);
    const of = classes.get(formula.slot) ?? [];
    if (formula.op === 'is') return `t_${index}_${formula.test}`;
    const several = request.slots.get(formula.slot)?.several === true;
    if (formula.op === 'present') {
      if (!several) return request.slots.get(formula.slot)?.required === true ? 'true' : `has_${index}`;
      return any(of.map((_, at) => `in_${index}_${at}`));
    }
    const holding = of.map(({ answers }) => formula.tests.some((test) => answers[test] === true) !== formula.negated);
    const members = (those: boolean): string[] => of.flatMap((_, at) => (holding[at] === those ? [`in_${index}_${at}`] : []));
    if (formula.op === 'some') return all([`(not single_${index})`, any(members(true))]);
    return any([`single_${index}`, `(not ${any(members(false))})`]);
  };
  lines.push(`(assert ${print(what)})`);

  const read: Script['read'] = (model) => {
    const values = new Map<string, readonly string[]>();
    for (const [index, name] of names.entries()) {
      const slot = request.slots.get(name);
      const of = classes.get(name) ?? [];
      if (slot?.several === true) {
        const found = of.filter((_, at) => model.get(`in_${index}_${at}`) === true);
        const twice = found.length === 1 && found.every(isEmptyText) && model.get(`single_${index}`) !== true;
        values.set(
          name,
          (twice ? [...found, ...found] : found).map(({ text }) => text),
        );
      } else if (slot?.required === true || model.get(`has_${index}`) === true) {
        const found = of.find(({ answers }) => answers.every((answer, at) => answer === (model.get(`t_${index}_${at}`) === true)));
        if (found !== undefined) values.set(name, [found.text]);
      }
    }
    return values;
  };
  const answering: Script['answering'] = (slot, answers) => {
    const index = names.indexOf(slot);
    if (request.slots.get(slot)?.several !== true) return answers.map((value, at) => ({ name: `t_${index}_${at}`, value }));
    const members = (classes.get(slot) ?? []).map((one, at) => ({
      name: `in_${index}_${at}`,
      value: one.answers.every((answer, test) => answer === answers[test]),
    }));
    return [...members, { name: `single_${index}`, value: false }];
  };
  return {
    text: lines.join('\n'),
    assertions: lines.filter((line) => line.startsWith('(assert ')).length,
    without,
    answering,
    print,
    read,
  };
}

const all = (of: readonly string[]): string => (of.length === 0 ? 'true' : of.length === 1 ? `${of[0]}` : `(and ${of.join(' ')})`);
const any = (of: readonly string[]): string => (of.length === 0 ? 'false' : of.length === 1 ? `${of[0]}` : `(or ${of.join(' ')})`);

export const asserted = (literals: readonly Literal[]): string[] => literals.map(({ name, value }) => (value ? name : `(not ${name})`));

/** The same script with more asserted of the request. */
export const withAssertions = (script: Script, more: readonly string[]): Script => ({
  ...script,
  text: [script.text, ...more.map((one) => `(assert ${one})`)].join('\n'),
  assertions: script.assertions + more.length,
});
