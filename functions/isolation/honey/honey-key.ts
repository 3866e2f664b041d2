import type { SecretText } from '../../shared/secret-text.ts';

/** The platform's key to the names of decoys. Read when a name is to be looked at, and kept. Throws CordonError AWS_UNAVAILABLE | AWS_REFUSED | ACCESS_REFUSED. */
export type HoneyKey = () => Promise<SecretText>;
