import type { IsolationDeclaration } from '../../functions/isolation/declaration/declaration.ts';
import type { IsolationScore } from '../../functions/isolation/declaration/score.ts';
import { type ExitCode, exitCodes } from '../command-error.ts';
import { fieldLines, tableLines } from '../table.ts';

/** What is declared, service by service, and beside it what of that was shown. */
export function declarationLines(declaration: IsolationDeclaration, score: IsolationScore): readonly string[] {
  const { services, credentials, tenantId, tier } = declaration;
  const scored = new Map(score.services.map((one) => [one.service, one]));
  const statuses = new Map(score.services.flatMap(({ claims }) => claims.map((claim) => [claim.id, claim.status])));
  const failed = score.services.flatMap((one) => one.failed);
  return [
    ...fieldLines({ tenant: tenantId, tier, score: `${score.score} of 100`, 'last verified': score.verifiedAt ?? 'not within two days' }),
    ...(failed.length === 0 ? [] : fieldLines({ FAILED: failed.join(', ') })),
    '',
    ...tableLines(
      ['SERVICE', 'SCORE', 'SHARING', 'WHY'],
      services.map(({ service, sharing, justification }) => [service, scored.get(service)?.score, sharing, justification]),
    ),
    '',
    ...tableLines(
      ['CLAIM', 'STATUS', 'WHAT IS CLAIMED', 'BY'],
      services.flatMap(({ claims }) => claims.map(({ id, says, mechanism }) => [id, statuses.get(id), says, mechanism.join(' ')])),
    ),
    '',
    ...tableLines(
      ['CREDENTIAL', 'PROVIDER', 'SOURCE', 'ACCOUNT', 'SHARING', 'WHY'],
      credentials.map(({ credentialId, provider, source, account, sharing, justification }) => [
        ...[credentialId, provider, source, account, sharing, justification],
      ]),
    ),
  ];
}

/** What is declared only is no failure and nothing that is missing: nobody could show it. */
export function declarationExitCode({ services, claims }: Pick<IsolationScore, 'services' | 'claims'>): ExitCode {
  if (services.some(({ failed }) => failed.length > 0)) return exitCodes.failed;
  return claims['not-verified'] > 0 ? exitCodes.unconfirmed : exitCodes.ok;
}
