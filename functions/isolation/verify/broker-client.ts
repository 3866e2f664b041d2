import type { SecretText } from '../../shared/secret-text.ts';

/** What came of a call through the broker. */
export interface BrokerAnswer {
  /** 0 when there was no answer. */
  readonly status: number;
  /** The broker's own code of a refusal. */
  readonly code?: string | undefined;
  /** What the provider says of its limits; undefined when it says nothing. */
  readonly limit?: { readonly limit: number; readonly remaining: number } | undefined;
}

/** One entry of a tenant's attribution, as its API shows it. */
export interface LoggedUse {
  readonly id: string;
  readonly credentialId?: string | undefined;
  readonly credentialVersion?: string | undefined;
  readonly outcome: string;
  /** What the caller said of itself. */
  readonly marker?: string | undefined;
}

/** The broker as its ordinary clients know it. Nothing rejects: what is not answered is an answer too. */
export interface BrokerClient {
  /** One small call to the provider, in this environment, with a text by which it can be found in the log. */
  use(
    token: SecretText | undefined,
    call: { readonly environment: string; readonly marker: string; readonly headers?: Readonly<Record<string, string>> },
  ): Promise<BrokerAnswer>;
  /** The latest uses of the token's tenant; undefined when it could not be read. */
  log(token: SecretText): Promise<readonly LoggedUse[] | undefined>;
}
