import { isPublicHostName } from '../providers/host-name.ts';
import { CordonError } from '../shared/errors.ts';
import { SecretText } from '../shared/secret-text.ts';

/** Where and as whom a PostgreSQL server is reached. */
export interface DatabaseAddress {
  /** A DNS name in lower case; in development also `localhost` or 127.0.0.1. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: SecretText;
  readonly database: string;
  /** Over TLS, the server's certificate checked against its name. False in development only. */
  readonly secure: boolean;
}

export interface ConnectionString {
  readonly address: DatabaseAddress;
  /** As it is to be kept: `sslmode=verify-full` is written out, because a client that reads none would settle for less. */
  readonly text: SecretText;
}

/** What a string may ask for besides. Any other option could name a file, a command or a service; and none of these changes what was tested. */
const harmlessOptions: ReadonlyMap<string, RegExp> = new Map([
  ['application_name', /^[\w.-]{1,63}$/],
  ['channel_binding', /^(prefer|require)$/],
  ['connect_timeout', /^\d{1,3}$/],
]);

/** Longer names are cut off by the server, and then mean another. Source: PostgreSQL documentation, "Identifiers and Key Words" (NAMEDATALEN). */
const maxNameBytes = 63;

/**
 * Reads the URI form of a connection string. Source: PostgreSQL documentation, "Connection Strings" (libpq, connection URIs). It has to name host, user, password
 * and database, once each, and of options only `sslmode=verify-full` and harmless ones.
 *
 * @param allowLoopback development only: a loopback host passes, and needs no TLS
 * @throws CordonError KEY_REFUSED, which quotes nothing
 */
export function parseConnectionString(text: SecretText, { allowLoopback }: { allowLoopback: boolean }): ConnectionString {
  const given = text.reveal();
  const url = urlOf(given);
  const loopback = allowLoopback && (url.hostname === 'localhost' || url.hostname === '127.0.0.1');
  if (!loopback && !isPublicHostName(url.hostname)) throw refused('its host must be the DNS name of a public server, in lower case');
  const options = optionsOf(url);
  const sslmode = options.get('sslmode');
  const plain = loopback && (sslmode === undefined || sslmode === 'disable');
  if (!plain && sslmode !== undefined && sslmode !== 'verify-full') throw refused('its sslmode must be verify-full');
  const address = {
    host: url.hostname,
    port: portOf(url),
    user: part(url.username, 'user', maxNameBytes),
    password: new SecretText(part(url.password, 'password', 1024)),
    database: part(url.pathname.slice(1), 'database', maxNameBytes),
    secure: !plain,
  };
  const complete = plain || sslmode !== undefined ? given : `${given}${given.includes('?') ? '&' : '?'}sslmode=verify-full`;
  return { address, text: new SecretText(complete) };
}

function urlOf(text: string): URL {
  // `URL` would drop spaces and line breaks, and look for `\` as a delimiter in some schemes.
  if (!/^postgres(ql)?:\/\/[\x21-\x5b\x5d-\x7e]+$/.test(text))
    throw refused('it must begin with postgres:// or postgresql:// and hold no spaces');
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    // The parser's error holds the text.
    throw refused('it is no URI: percent-encode what user, password and database hold besides letters and digits');
  }
  if (text.includes('#') || /\?$|[?&]&|&$/.test(text)) throw refused('it holds # or an empty option: percent-encode them');
  return url;
}

function optionsOf(url: URL): ReadonlyMap<string, string> {
  const options = new Map<string, string>();
  for (const [name, value] of url.searchParams) {
    if (options.has(name)) throw refused('it names an option twice');
    // The name is not repeated: an unencoded ? in a password makes it part of the password.
    if (name !== 'sslmode' && harmlessOptions.get(name)?.test(value) !== true)
      throw refused(`it may have no options but sslmode, ${[...harmlessOptions.keys()].join(', ')}`);
    options.set(name, value);
  }
  return options;
}

/** Below 1024 listen servers of other kinds: whoever may supply a secret is not to knock at them from here. */
function portOf({ port }: URL): number {
  const number = port === '' ? 5432 : Number(port);
  if (number < 1024) throw refused('its port must be 1024 or higher');
  return number;
}

/** A part in the clear: there, and without control characters. */
function part(encoded: string, name: string, maxBytes: number): string {
  let text: string;
  try {
    text = decodeURIComponent(encoded);
  } catch {
    throw refused(`its ${name} is not percent-encoded UTF-8`);
  }
  if (text === '') throw refused(`it names no ${name}`);
  if (encoded.includes('/') || /\p{Cc}/u.test(text) || Buffer.byteLength(text) > maxBytes)
    throw refused(`its ${name} is too long or holds what must be percent-encoded`);
  return text;
}

function refused(why: string): CordonError {
  return new CordonError(
    'KEY_REFUSED',
    `the connection string was not accepted, ${why}: nothing was stored; seal it again with a fresh nonce`,
  );
}
