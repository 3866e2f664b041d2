import { Command, CommanderError } from 'commander';
import { CordonError } from '../functions/shared/errors.ts';
import { noLocalCloud } from './cloud/local-profile.ts';
import { CommandError, exitCodes } from './command-error.ts';
import { attributionCommand } from './commands/attribution.ts';
import { blastRadiusCommand } from './commands/blast-radius.ts';
import { certificateCommand, verifyCertificateCommand } from './commands/certificate.ts';
import { connectionsCommand } from './commands/connections.ts';
import { credentialsCommand } from './commands/credentials.ts';
import { dedicatedCommand } from './commands/dedicated.ts';
import { dlqCommand } from './commands/dlq.ts';
import { honeyCommand } from './commands/honey.ts';
import { isolationCommand } from './commands/isolation.ts';
import { restoreCommand } from './commands/restore.ts';
import { revocationsCommand } from './commands/revocations.ts';
import { revokeCommand } from './commands/revoke.ts';
import { tenantsCommand } from './commands/tenants.ts';
import { usersCommand } from './commands/users.ts';
import type { Io } from './io.ts';
import { plainJson, plainText } from './plain-text.ts';
import { createHandle, type Handle, isHelp, withGlobalOptions } from './runner.ts';

const commands: readonly ((handle: Handle, io: Io) => Command)[] = [
  tenantsCommand,
  usersCommand,
  credentialsCommand,
  connectionsCommand,
  revokeCommand,
  revocationsCommand,
  certificateCommand,
  verifyCertificateCommand,
  attributionCommand,
  blastRadiusCommand,
  dedicatedCommand,
  restoreCommand,
  isolationCommand,
  honeyCommand,
  dlqCommand,
];

const after = `
Ends with 0 when it is done, 1 when it failed, 2 when it was not understood, 3 when it is done but for something that a provider did not
confirm, 4 when the time given was over first: what is in force stays so, and the same command with "show" says how far it is.`;

/**
 * Runs one command line.
 *
 * @param argv without the names of the interpreter and the script
 * @returns the exit code; never rejects
 */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  let exitCode: number = exitCodes.ok;
  const handle = createHandle(io, (code) => {
    exitCode = code;
  });
  const program = withGlobalOptions(new Command('cordon'))
    .description('Onboard, look at, rotate, revoke and prove: Cordon for its operators')
    .addHelpText('after', after);
  for (const make of commands) program.addCommand(make(handle, io));
  for (const command of everyCommand(program)) {
    command.exitOverride().showHelpAfterError('(--help says what there is)').configureHelp({ showGlobalOptions: true });
    command.configureOutput({ writeOut: (text) => io.out(text), writeErr: (text) => io.err(text) });
  }
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (isHelp(error)) return exitCodes.ok;
    // Commander has said what is wrong, or shown the help of a command that lacks its second word.
    if (error instanceof CommanderError) return exitCodes.usage;
    return report(io, argv, translated(error, program.opts()['profile']));
  }
}

function everyCommand(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(everyCommand)];
}

/** The reason on stderr, and with `--json` on stdout too, so that there is a document whatever comes. */
function report(io: Io, argv: readonly string[], error: CommandError): number {
  io.err(`${error.message.split('\n').map(plainText).join('\n')}\n`);
  if (error.exitCode !== exitCodes.usage && argv.includes('--json'))
    io.out(`${plainJson({ error: { code: error.code, message: error.message } })}\n`);
  return error.exitCode;
}

/** What went wrong, in the words of whoever can do something about it. */
function translated(error: unknown, profile: unknown): CommandError {
  if (error instanceof CommandError) return error;
  const names = causesOf(error).map(({ name, message }) => `${name}: ${message}`);
  const unreachable = names.some((name) => name.includes('ECONNREFUSED'));
  if (unreachable && profile === 'local') return noLocalCloud('nothing answers at the address in .cordon/local.json', error);
  if (names.some((name) => /CredentialsProviderError|Could not load credentials/.test(name)))
    return new CommandError(
      'NO_CREDENTIALS',
      `The profile ${String(profile)} gives no credentials: sign in, or name another with --profile.`,
      { cause: error },
    );
  if (names.some((name) => name.includes('Region is missing')))
    return new CommandError('NO_REGION', `The profile ${String(profile)} names no Region: add --region.`, { cause: error });
  if (error instanceof CordonError)
    return new CommandError(error.code, `${error.code}: ${error.message}. ${hints[error.code] ?? ''}`.trim(), { cause: error });
  const message = error instanceof Error ? error.message : String(error);
  return new CommandError('UNEXPECTED', `Something unexpected went wrong: ${message}`, { cause: error });
}

const hints: Readonly<Record<string, string>> = {
  ACCESS_REFUSED: 'These credentials lack a right that the managed policy OperatorAccess gives: attach it to the role you use.',
  AWS_UNAVAILABLE: 'Try again in a moment.',
  ITEM_NOT_UNDERSTOOD: 'It was written by another version of Cordon: use the command of the version that is deployed.',
};

function causesOf(error: unknown): readonly Error[] {
  if (!(error instanceof Error)) return [];
  const inner = error instanceof AggregateError ? error.errors.flatMap(causesOf) : [];
  return [error, ...inner, ...causesOf(error.cause)];
}
