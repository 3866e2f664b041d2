/**
 * What `broker` is configured with. Parsed by hand: a schema library would double the function's import time.
 */
export interface BrokerEnvVariables {
  /** Name or ARN of the function that mints tenant sessions. */
  readonly SESSIONS_FUNCTION_NAME: string;
  readonly REGISTRY_TABLE: string;
  readonly ATTRIBUTION_TABLE: string;
  readonly TENANT_READER_ROLE_ARN: string;
  /** `arn:aws:iam::{account}:role/cordon/TenantAgent-` */
  readonly DEDICATED_ROLE_ARN_PREFIX: string;
  readonly BYOC_CONNECTOR_ROLE_ARN: string;
  /** `{"openai": "http://127.0.0.1:…"}`: replaces hosts of providers, in development only. `{}` in a deployed function. */
  readonly PROVIDER_BASE_URLS: string;
  /** `true` lets the local cloud's simulators be called; without effect in a deployed function. */
  readonly ALLOW_LOOPBACK_EGRESS: string;
}

export interface BrokerEnv {
  readonly sessionsFunctionName: string;
  readonly registryTable: string;
  readonly attributionTable: string;
  readonly tenantReaderRoleArn: string;
  readonly dedicatedRoleArnPrefix: string;
  readonly byocConnectorRoleArn: string;
  /** Empty unless loopback egress is allowed. */
  readonly providerBaseUrls: Readonly<Record<string, string>>;
  readonly allowLoopbackEgress: boolean;
  /** What Lambda itself provides. */
  readonly region: string;
  /** Where AWS is; undefined for AWS itself. */
  readonly awsEndpoint: string | undefined;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken: string | undefined };
}

type Variables = Readonly<Record<string, string | undefined>>;

/**
 * @throws Error naming the variable that is missing or wrong, so that the function fails while it loads and not at its first call
 */
export function readBrokerEnv(variables: Variables): BrokerEnv {
  const text = (name: keyof BrokerEnvVariables | 'AWS_REGION' | 'AWS_ACCESS_KEY_ID' | 'AWS_SECRET_ACCESS_KEY'): string => {
    const value = variables[name];
    if (value === undefined || value === '') throw new Error(`the environment variable ${name} is missing`);
    return value;
  };
  const arn = (name: keyof BrokerEnvVariables): string => {
    const value = text(name);
    if (!/^arn:[^:]+:[^:]+:/.test(value)) throw new Error(`the environment variable ${name} is no ARN`);
    return value;
  };
  // The Lambda runtime always sets its API's address: where it is set, the function is deployed. Source: Lambda Developer Guide, "Runtime API".
  const allowLoopbackEgress = variables['ALLOW_LOOPBACK_EGRESS'] === 'true' && variables['AWS_LAMBDA_RUNTIME_API'] === undefined;
  return {
    sessionsFunctionName: text('SESSIONS_FUNCTION_NAME'),
    registryTable: text('REGISTRY_TABLE'),
    attributionTable: text('ATTRIBUTION_TABLE'),
    tenantReaderRoleArn: arn('TENANT_READER_ROLE_ARN'),
    dedicatedRoleArnPrefix: arn('DEDICATED_ROLE_ARN_PREFIX'),
    byocConnectorRoleArn: arn('BYOC_CONNECTOR_ROLE_ARN'),
    providerBaseUrls: allowLoopbackEgress ? developmentUrls(variables) : {},
    allowLoopbackEgress,
    region: text('AWS_REGION'),
    awsEndpoint: variables['AWS_ENDPOINT_URL'],
    credentials: {
      accessKeyId: text('AWS_ACCESS_KEY_ID'),
      secretAccessKey: text('AWS_SECRET_ACCESS_KEY'),
      sessionToken: variables['AWS_SESSION_TOKEN'],
    },
  };
}

/** Where the local cloud is, customers' accounts are too. */
function developmentUrls(variables: Variables): Record<string, string> {
  const endpoint = variables['AWS_ENDPOINT_URL'];
  return { ...(endpoint !== undefined && { aws: endpoint }), ...baseUrls(variables['PROVIDER_BASE_URLS'] ?? '{}') };
}

function baseUrls(json: string): Record<string, string> {
  const wrong = new Error('the environment variable PROVIDER_BASE_URLS is no JSON object of URLs');
  const parsed = parseJson(json, wrong);
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw wrong;
  const urls: Record<string, string> = {};
  for (const [provider, url] of Object.entries(parsed)) {
    if (typeof url !== 'string' || !URL.canParse(url)) throw wrong;
    urls[provider] = url;
  }
  return urls;
}

function parseJson(json: string, wrong: Error): unknown {
  try {
    return JSON.parse(json);
  } catch {
    throw wrong;
  }
}
