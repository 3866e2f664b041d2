import { Logger } from '@aws-lambda-powertools/logger';
import type { Log, LogFields } from './log.ts';

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error('a value that is no Error was thrown');
}

/**
 * Structured JSON lines on the console. Secrets are `SecretText` and print as `[redacted]` because the line is made with JSON.
 *
 * @param service the capability, e.g. `tenants`
 */
export function createLog(
  service: string,
  logger: Logger = new Logger({ serviceName: service, logLevel: 'INFO' }),
  always: LogFields = {},
): Log {
  return {
    info: (message, fields) => logger.info(message, { ...always, ...fields }),
    warn: (message, fields) => logger.warn(message, { ...always, ...fields }),
    error: (message, error, fields) => logger.error(message, { ...always, ...fields, error: asError(error) }),
    with: (fields) => createLog(service, logger, { ...always, ...fields }),
  };
}
