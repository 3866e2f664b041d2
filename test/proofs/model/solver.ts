/** Z3, asked in SMT-LIB 2. */
import { createHash } from 'node:crypto';
import { init } from 'z3-solver';
import { z } from 'zod';
import type { Literal, Script, Values } from './smt.ts';

/** Not satisfiable: no request does what was asserted. Otherwise one that does. */
export type Answer = { readonly satisfiable: false } | { readonly satisfiable: true; readonly values: Values };

/** A script that is loaded, to be asked several times. */
export interface Inquiry {
  /** Whether a request does what the script asserts and these literals besides. Throws as `solve` does. */
  ask(literals: readonly Literal[]): Answer;
  /** The same, for who does not want to know which. */
  holds(literals: readonly Literal[]): boolean;
  end(): void;
}

export interface Solver {
  /** Throws when Z3 says neither `sat` nor `unsat`, or has not read the script whole: what is unknown is not proven. */
  solve(script: Script): Answer;
  /** For many questions about one script: it is read once. */
  open(script: Script): Inquiry;
  /** Ends Z3's threads, which would keep the process alive. */
  close(): void;
}

/** Stands for a script that was asked: thousands of them are kept in mind, and their texts are long. */
export const digestOf = (text: string): string => createHash('sha256').update(text).digest('base64');

/** The variables of a script that are true, or false, in one solution; undefined: it has none. */
type Model = ReadonlyMap<string, boolean> | undefined;

export async function openSolver(): Promise<Solver> {
  const { Z3, em } = await init();
  const context = Z3.mk_context(Z3.mk_config());
  const bool = Z3.mk_bool_sort(context);
  const known = new Map<string, Model>();

  const load = ({ text, assertions }: Script) => {
    const solver = Z3.mk_solver(context);
    Z3.solver_inc_ref(context, solver);
    // Not `eval_smtlib2_string`: it hands the text to a thread on a stack that is reused before it has been read.
    Z3.solver_from_string(context, solver, text);
    const read = Z3.ast_vector_size(context, Z3.solver_get_assertions(context, solver));
    if (Z3.get_error_code(context) !== 0 || read !== assertions)
      throw new Error(`Z3 read ${read} of ${assertions} assertions: ${Z3.get_error_msg(context, Z3.get_error_code(context))}\n${text}`);
    const isSatisfiable = (): boolean => {
      // Not `Z3.solver_check`: it starts a thread for each question, which takes longer than most answers.
      const verdict = z.number().parse(em._Z3_solver_check(context, solver));
      // Z3_L_FALSE, Z3_L_TRUE
      if (verdict === -1) return false;
      if (verdict !== 1) throw new Error(`Z3 does not know: ${Z3.solver_get_reason_unknown(context, solver)}`);
      return true;
    };
    const check = (): Model => {
      if (!isSatisfiable()) return undefined;
      const model = Z3.model_to_string(context, Z3.solver_get_model(context, solver));
      return new Map(
        [...model.matchAll(/([a-z]+_\d+(?:_\d+)?)\s+->\s+(true|false)/g)].map(([, name = '', value]) => [name, value === 'true']),
      );
    };
    const assert = ({ name, value }: Literal): void => {
      const variable = Z3.mk_const(context, Z3.mk_string_symbol(context, name), bool);
      Z3.solver_assert(context, solver, value ? variable : Z3.mk_not(context, variable));
    };
    const assuming = <T>(literals: readonly Literal[], work: () => T): T => {
      Z3.solver_push(context, solver);
      try {
        literals.forEach(assert);
        return work();
      } finally {
        Z3.solver_pop(context, solver, 1);
      }
    };
    return {
      check,
      checkWith: (literals: readonly Literal[]): Model => assuming(literals, check),
      holdsWith: (literals: readonly Literal[]): boolean => assuming(literals, isSatisfiable),
      end: () => Z3.solver_dec_ref(context, solver),
    };
  };
  const once = (script: Script): Model => {
    const { check, end } = load(script);
    try {
      return check();
    } finally {
      end();
    }
  };
  // Scripts of the same text may speak of other names: the model is the same, and what it says is not.
  const answer = (script: Script, model: Model): Answer =>
    model === undefined ? { satisfiable: false } : { satisfiable: true, values: script.read(model) };
  return {
    solve(script) {
      const digest = digestOf(script.text);
      if (!known.has(digest)) known.set(digest, once(script));
      return answer(script, known.get(digest));
    },
    open(script) {
      const { checkWith, holdsWith, end } = load(script);
      return { ask: (literals) => answer(script, checkWith(literals)), holds: holdsWith, end };
    },
    close: () => em.PThread.terminateAllThreads(),
  };
}
