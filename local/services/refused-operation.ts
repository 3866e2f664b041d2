/** Operations that IAM decides on as ever, but that do nothing here: who may not use one learns "denied", who may learns "not implemented". */
import { notImplemented } from '../core/aws-error.ts';
import type { Input, Need, Operation, Scope } from '../core/service.ts';

export function refusedOperation(what: string, needs: (input: Input, scope: Scope) => readonly Need[]): Operation {
  return {
    needs,
    run: () => {
      throw notImplemented(what);
    },
  };
}
