import { CfnParameter, type Stack } from 'aws-cdk-lib';

/** Where providers are in the local cloud: variables of the functions that call them, each without effect in a deployed one. */
export interface Development {
  readonly PROVIDER_BASE_URLS: string;
  readonly PROVIDER_ADMIN_BASE_URLS: string;
  readonly PROVIDER_TOKEN_URLS: string;
  readonly ALLOW_LOOPBACK_EGRESS: string;
}

/** What is said when the stack is deployed. */
export interface Parameters {
  /** JSON, as `sessions` takes it. */
  readonly trustedIssuers: string;
  readonly development: Development;
}

export function addParameters(stack: Stack): Parameters {
  const said = (id: string, description: string, fallback: string, allowedValues?: string[]): string =>
    new CfnParameter(stack, id, { description, default: fallback, allowedValues }).valueAsString;
  const ineffective = 'without effect in a deployed function';
  return {
    trustedIssuers: said(
      'TrustedIssuers',
      'JSON array of {issuer, audiences, jwksUri, claims?}: whose tokens name a tenant and a user',
      '[]',
    ),
    development: {
      PROVIDER_BASE_URLS: said('ProviderBaseUrls', `For development: JSON object of provider base URLs; ${ineffective}`, '{}'),
      PROVIDER_ADMIN_BASE_URLS: said(
        'ProviderAdminBaseUrls',
        `For development: JSON object of base URLs of providers’ administrations; ${ineffective}`,
        '{}',
      ),
      PROVIDER_TOKEN_URLS: said('ProviderTokenUrls', `For development: JSON object of providers’ token endpoints; ${ineffective}`, '{}'),
      ALLOW_LOOPBACK_EGRESS: said('AllowLoopbackEgress', `For development: lets calls go to loopback addresses; ${ineffective}`, 'false', [
        'true',
        'false',
      ]),
    },
  };
}
