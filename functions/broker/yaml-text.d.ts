/** A YAML file is bundled as the text it is (esbuild, loader `text`). */
declare module '*.yaml' {
  const text: string;
  export default text;
}
