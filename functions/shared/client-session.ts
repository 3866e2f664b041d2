import { isAwsRefusal } from './aws-errors.ts';
import type { Clock } from './clock.ts';
import type { SessionCredentials } from './tenant-sessions.ts';

/** What an SDK client signs with. */
export interface ClientCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

export function clientCredentials(session: SessionCredentials): ClientCredentials {
  return {
    accessKeyId: session.accessKeyId,
    secretAccessKey: session.secretAccessKey.reveal(),
    sessionToken: session.sessionToken.reveal(),
  };
}

/** A session as an SDK client takes it: a provider of credentials, which may be those of a later session at the next call. */
export interface ClientSession {
  (): Promise<ClientCredentials & { readonly expiration: Date }>;
  /** Of the session that the next call is signed with. */
  keyId(): string;
  /** Takes a session that was minted after `askedAt`, unless the one that was refused has been replaced already. Rejects as minting does. */
  renew(refusedKeyId: string, askedAt: number): Promise<void>;
  readonly clock: Clock;
}

/**
 * @param renew answers a session that was minted after `askedAt`, in milliseconds since the epoch
 */
export function createClientSession(deps: {
  readonly first: ClientCredentials;
  readonly renew: (askedAt: number) => Promise<ClientCredentials>;
  readonly clock: Clock;
}): ClientSession {
  let current = deps.first;
  let renewing: Promise<void> | undefined;
  // Over already, so that the SDK, which keeps what a provider has given until it ends, asks at each call.
  const provide = () => Promise.resolve({ ...current, expiration: new Date(0) });
  const renew = async (askedAt: number): Promise<void> => {
    current = await deps.renew(askedAt);
  };
  return Object.assign(provide, {
    keyId: () => current.accessKeyId,
    async renew(refusedKeyId: string, askedAt: number) {
      if (refusedKeyId !== current.accessKeyId) return;
      renewing ??= renew(askedAt).finally(() => {
        renewing = undefined;
      });
      await renewing;
    },
    clock: deps.clock,
  });
}

type Call<Input, Output> = (input: Input) => Promise<Output>;
/** The least that is used of an SDK client. */
interface Client {
  readonly middlewareStack: {
    add(
      middleware: <Input, Output>(next: Call<Input, Output>) => Call<Input, Output>,
      options: { readonly step: 'initialize'; readonly name: string },
    ): void;
  };
}

/**
 * Has the client make a call once more, in a session minted for it, when IAM refuses it: the session may have been cut off while the tenant, or everybody else of it, goes on.
 * A refused call has done nothing, so none is done twice. What is refused in the new session too is refused for another reason, and that is the call's answer.
 */
export function inSession<Made extends Client>(client: Made, session: ClientSession): Made {
  client.middlewareStack.add(
    (next) => async (input) => {
      const [askedAt, keyId] = [session.clock(), session.keyId()];
      try {
        return await next(input);
      } catch (error) {
        if (!isAwsRefusal(error)) throw error;
        await session.renew(keyId, askedAt);
        return next(input);
      }
    },
    { step: 'initialize', name: 'renewRefusedSession' },
  );
  return client;
}
