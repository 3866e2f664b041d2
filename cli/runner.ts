import { type Argument, type Command, CommanderError, Option } from 'commander';
import { z } from 'zod';
import { type Cloud, openCloud } from './cloud/cloud.ts';
import { type ExitCode, exitCodes, usageError } from './command-error.ts';
import type { Io } from './io.ts';
import { plainJson, plainText } from './plain-text.ts';
import { membersOf } from './problems.ts';

/** What a command has come to. Commands print nothing themselves: stdout gets one answer. */
export interface Answer {
  /** With `--json`. Members are only ever added. */
  readonly json: object;
  /** Without. Each made plain already: `tableLines` and `fieldLines` do. */
  readonly lines: readonly string[];
  readonly exitCode?: ExitCode;
}

/** What a command works with. */
export interface Context {
  readonly io: Io;
  /** Opens the deployment that the options name. */
  cloud(): Promise<Cloud>;
  /** A line on stderr. */
  note(text: string): void;
}

export type Handler<Input> = (context: Context, input: Input) => Promise<Answer>;
/** Makes a commander action of a handler: arguments and options by their names, as the schema says. */
export type Handle = <Schema extends z.ZodType>(schema: Schema, handler: Handler<z.infer<Schema>>) => (this: Command) => Promise<void>;

const globals = z.object({
  profile: z.string().min(1),
  region: z.string().min(1).optional(),
  stack: z.string().min(1),
  json: z.boolean().default(false),
});

/** Options that every command has. */
export function withGlobalOptions(program: Command): Command {
  return program
    .option('--profile <name>', 'AWS profile; "local" is the local cloud that runs here, "environment" what the environment gives', 'local')
    .option('--region <region>', 'AWS Region, when the profile names none')
    .option('--stack <name>', 'name of the CloudFormation stack', 'Cordon')
    .addOption(new Option('--json', 'one JSON document on stdout; everything else on stderr'));
}

/** @param ended takes the exit code of the one command that ran */
export function createHandle(io: Io, ended: (exitCode: ExitCode) => void): Handle {
  return (schema, handler) =>
    async function action(this: Command) {
      const given: Record<string, unknown> = this.optsWithGlobals();
      const { json, ...target } = globals.parse(given);
      const named = Object.fromEntries(
        this.registeredArguments.map((argument, at) => [camelCase(argument.name()), this.processedArgs[at]]),
      );
      const input = schema.safeParse({ ...given, ...named });
      if (!input.success) throw usageError(membersOf(input.error, (path) => shownName(this, path)));
      let open: Cloud | undefined;
      const context: Context = {
        io,
        note: (text) => io.err(`${plainText(text)}\n`),
        cloud: async () => (open ??= await openCloud(io, target)),
      };
      try {
        const { json: document, lines, exitCode = exitCodes.ok } = await handler(context, input.data);
        io.out(json ? `${plainJson(document)}\n` : lines.map((line) => `${line}\n`).join(''));
        ended(exitCode);
      } finally {
        open?.close();
      }
    };
}

/** As it was typed: `<tenant>`, `--reason`. */
function shownName(command: Command, path: readonly PropertyKey[]): string {
  const [first, ...rest] = path.map(String);
  const argument = command.registeredArguments.find((one: Argument) => camelCase(one.name()) === first);
  const option = command.options.find((one) => one.attributeName() === first);
  const name = argument === undefined ? (option?.long ?? first ?? 'it') : `<${argument.name()}>`;
  return [name, ...rest].join('.');
}

function camelCase(name: string): string {
  return name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

/** Whether commander ended because its help or version was asked for. */
export function isHelp(error: unknown): boolean {
  return error instanceof CommanderError && error.exitCode === 0;
}
