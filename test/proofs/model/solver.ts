/** Z3, asked in SMT-LIB 2. */
import { init } from 'z3-solver';
import type { Script, Values } from './smt.ts';

/** Not satisfiable: no request does what was asserted. Otherwise one that does. */
export type Answer = { readonly satisfiable: false } | { readonly satisfiable: true; readonly values: Values };

export interface Solver {
  /** Throws when Z3 says neither `sat` nor `unsat`, or has not read the script whole: what is unknown is not proven. */
  solve(script: Script): Promise<Answer>;
  /** Ends Z3's threads, which would keep the process alive. */
  close(): void;
}

export async function openSolver(): Promise<Solver> {
  const { Z3, em } = await init();
  const context = Z3.mk_context(Z3.mk_config());
  const known = new Map<string, Answer>();
  const ask = async (script: Script): Promise<Answer> => {
    const solver = Z3.mk_solver(context);
    Z3.solver_inc_ref(context, solver);
    try {
      // Not `eval_smtlib2_string`: it hands the text to a thread on a stack that is reused before it has been read.
      Z3.solver_from_string(context, solver, script.text);
      const read = Z3.ast_vector_size(context, Z3.solver_get_assertions(context, solver));
      if (Z3.get_error_code(context) !== 0 || read !== script.assertions)
        throw new Error(
          `Z3 read ${read} of ${script.assertions} assertions: ${Z3.get_error_msg(context, Z3.get_error_code(context))}\n${script.text}`,
        );
      const verdict = await Z3.solver_check(context, solver);
      // Z3_L_FALSE, Z3_L_TRUE
      if (verdict === -1) return { satisfiable: false };
      if (verdict !== 1) throw new Error(`Z3 does not know: ${Z3.solver_get_reason_unknown(context, solver)}`);
      const model = Z3.model_to_string(context, Z3.solver_get_model(context, solver));
      const values = new Map(
        [...model.matchAll(/([a-z]+_\d+(?:_\d+)?)\s+->\s+(true|false)/g)].map(([, name = '', value]) => [name, value === 'true']),
      );
      return { satisfiable: true, values: script.read(values) };
    } finally {
      Z3.solver_dec_ref(context, solver);
    }
  };
  return {
    async solve(script) {
      const answer = known.get(script.text) ?? (await ask(script));
      known.set(script.text, answer);
      return answer;
    },
    close: () => em.PThread.terminateAllThreads(),
  };
}
