/** Bundled as the texts they are (esbuild, loader `text`). */
declare module '*.html' {
  const text: string;
  export default text;
}
declare module '*.css' {
  const text: string;
  export default text;
}
