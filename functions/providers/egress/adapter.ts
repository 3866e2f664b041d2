/** Builds an adapter from what distinguishes one provider from another. */
import { CordonError } from '../../shared/errors.ts';
import type { AwsScope, CredentialSettings, EgressAdapter } from '../egress-adapter.ts';
import { createPathMatcher, type PathRules } from '../egress-path.ts';
import { readUsage } from '../usage-reader.ts';

interface Description extends Pick<EgressAdapter, 'provider' | 'authHeaders'> {
  /** The host, or how it follows from the settings. */
  readonly host: string | ((settings: CredentialSettings) => string);
  /** First part of the path that a base URL of development stands in for, e.g. `/v1`. */
  readonly basePath?: string;
  readonly paths: PathRules;
  readonly callerHeaders?: readonly string[];
  /** What `{project}` and the like in the rules must be. */
  readonly own?: (settings: CredentialSettings) => Readonly<Record<string, string>>;
  readonly usage?: EgressAdapter['usage'];
  /** Where an AWS session may be what is injected: what it is for. */
  readonly scope?: (settings: CredentialSettings) => AwsScope;
}

export function defineAdapter(description: Description): EgressAdapter {
  const { host, basePath = '', own, scope } = description;
  const match = createPathMatcher(description.paths);
  const hostOf = (settings: CredentialSettings): string => (typeof host === 'string' ? host : host(settings));
  return {
    provider: description.provider,
    basePath,
    callerHeaders: description.callerHeaders ?? [],
    authHeaders: description.authHeaders,
    usage: description.usage ?? readUsage,
    hosts(settings) {
      // What becomes part of the path is held to its form here too: one place says whether a credential can be used at all.
      own?.(settings);
      return [hostOf(settings)];
    },
    target(request, settings, baseUrl) {
      const found = match(request.method, request.path, request.query, own?.(settings));
      if (found === undefined) return undefined;
      const real = hostOf(settings);
      const path = `/${found}`;
      const url =
        baseUrl === undefined
          ? `https://${real}${path}`
          : `${baseUrl.replace(/\/+$/, '')}${path.startsWith(`${basePath}/`) ? path.slice(basePath.length) : path}`;
      return { url: new URL(url), scope: scope?.(settings) };
    },
  };
}

/** @throws CordonError EGRESS_NOT_CONFIGURED when the credential lacks the setting or it has another form: it becomes part of a host name or path */
export function settingOf(provider: string, settings: CredentialSettings, name: keyof CredentialSettings, pattern: RegExp): string {
  const value = settings[name];
  if (typeof value === 'string' && pattern.test(value)) return value;
  throw new CordonError('EGRESS_NOT_CONFIGURED', `the credential for ${provider} needs the setting ${name}`);
}
