import { createTokenVerifier } from '../sessions/token-verifier.jose.ts';
import { createLog } from '../shared/logger.ts';
import { createHandler } from './authorize-call.handler.ts';
import { authorizeEnv } from './authorize-env.ts';

const env = authorizeEnv.parse(process.env);

export const handler = createHandler({
  log: createLog('authorizer'),
  verify: createTokenVerifier({ issuers: env.TRUSTED_ISSUERS, clock: () => Date.now() }),
});
