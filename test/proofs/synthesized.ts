/** The stack as it was synthesized for this run. */
import { readFileSync } from 'node:fs';
import { templatePath } from '../support/template.ts';
import { readStack, type Stack } from './model/stack.ts';

export const synthesizedStack = (): Promise<Stack> => readStack(JSON.parse(readFileSync(templatePath, 'utf8')));
