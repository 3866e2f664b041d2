import { readFileSync } from 'node:fs';
import { z } from 'zod';

const template = z.object({
  Resources: z.record(
    z.string(),
    z.object({ Type: z.string(), Properties: z.record(z.string(), z.unknown()).default({}), DeletionPolicy: z.string().optional() }),
  ),
  Outputs: z.record(z.string(), z.object({ Value: z.unknown() })),
});
export type Template = z.infer<typeof template>;
export type Resource = Template['Resources'][string];

/** Where `globalSetup` puts the synthesized template. */
export const templatePath = 'cdk.out/Cordon.template.json';

export function readTemplate(): Template {
  return template.parse(JSON.parse(readFileSync(templatePath, 'utf8')));
}

export function resourcesOf(of: Template, type: string): [logicalId: string, resource: Resource][] {
  return Object.entries(of.Resources).filter(([, resource]) => resource.Type === type);
}
