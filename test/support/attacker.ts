/** Somebody with keys and a web server of their own, who would like to be taken for the issuer. */
import { createServer } from 'node:http';
import { exportJWK, generateKeyPair, type JWTHeaderParameters, type JWTPayload, SignJWT } from 'jose';

export interface Attacker {
  /** Where the attacker's keys are served, as a JWKS. */
  readonly jwksUri: string;
  readonly publicJwk: object;
  readonly kid: string;
  /** How often somebody came for the keys. */
  readonly visits: () => number;
  /** A token with these claims, signed with the attacker's key. */
  sign(claims: JWTPayload, header?: Partial<JWTHeaderParameters>): Promise<string>;
  close(): Promise<void>;
}

export async function startAttacker(): Promise<Attacker> {
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
  const kid = 'the-attackers';
  const publicJwk = { ...(await exportJWK(publicKey)), kid, alg: 'RS256', use: 'sig' };
  let visits = 0;
  const server = createServer((_, response) => {
    visits += 1;
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: [publicJwk] }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    jwksUri: `http://127.0.0.1:${port}/jwks.json`,
    publicJwk,
    kid,
    visits: () => visits,
    sign: (claims, header) => new SignJWT(claims).setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid, ...header }).sign(privateKey),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
