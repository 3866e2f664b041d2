import document from '../../openapi.yaml';
import { createHandler } from './describe-api.handler.ts';

export const handler = createHandler(document);
