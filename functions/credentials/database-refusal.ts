/** What is said of a database that was tried. Own words only: those of the server, and of the client library, may repeat user, database or password. */
import { CordonError } from '../shared/errors.ts';

export function databaseRefuses(why: string): CordonError {
  return new CordonError(
    'KEY_REFUSED',
    `the connection string was tried and ${why}: nothing was stored; check it and seal it again with a fresh nonce`,
  );
}

export function databaseUnavailable(why: string): CordonError {
  return new CordonError(
    'DATABASE_UNAVAILABLE',
    `the database could not be asked, ${why}: nothing was stored; send the same request again`,
    {
      retryable: true,
    },
  );
}

export const notPostgres = (): CordonError => databaseRefuses('what answers there is no PostgreSQL server');
export const tooLate = (): CordonError => databaseUnavailable('it did not answer in time');

/** What a server says of who asks, by SQLSTATE. Source: PostgreSQL documentation, appendix "PostgreSQL Error Codes". */
const answers: ReadonlyMap<string, string> = new Map([
  ['28P01', 'the database does not accept user and password'],
  ['28000', 'the server admits no such user from here, or not this way'],
  ['3D000', 'the server has no such database'],
  ['42501', 'the user may not connect to the database'],
  ['55000', 'the database takes no connections'],
]);

/** Too little room, an operator's doing, the server's own trouble; XX000 and 08006 are also what poolers say when the server behind them is away. */
const passing = /^(53|57|58|XX|40|08006|08001|08003)/;

/** @param sqlState undefined for what the client takes for an error without being told one */
export function meaningOfAnswer(sqlState: string | undefined): CordonError {
  if (sqlState === undefined) return notPostgres();
  const known = answers.get(sqlState);
  if (known !== undefined) return databaseRefuses(known);
  return passing.test(sqlState)
    ? databaseUnavailable('the server cannot take the connection now')
    : databaseRefuses('the server does not accept the connection');
}

/** Node's codes of a connection that did not come about. Source: Node.js documentation, "Common system errors". */
const failures: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'nothing listens at its address'],
  ['EHOSTUNREACH', 'its address cannot be reached'],
  ['ENETUNREACH', 'its address cannot be reached'],
  ['ETIMEDOUT', 'its address did not answer in time'],
]);

/** @param code of the error, e.g. `ECONNREFUSED`; undefined when the connection ended without one */
export function meaningOfFailure(code: string | undefined): CordonError {
  if (/CERT|ALTNAME|ISSUER|SELF_SIGNED|SIGNATURE|CRL/.test(code ?? ''))
    return databaseRefuses("the server's certificate is not one of its name from a known authority");
  if (/^(ERR_SSL|ERR_TLS|EPROTO)/.test(code ?? '')) return databaseRefuses('the server does not speak TLS as it must');
  return databaseUnavailable(failures.get(code ?? '') ?? 'the server broke the connection off');
}
