// A plugin of esbuild's for parts of a page that are loaded later: their styles come in their scripts. By itself it puts the styles of what is import()ed into files that nobody loads.
import { build as esbuild, type Plugin } from 'esbuild';

const NAMESPACE = 'adopted-styles';

/** `importers`: paths of the sources whose `import './x.css'` is meant. Others' styles go into the page's own file, as they do without this. */
export const adoptedStyles = (importers: RegExp): Plugin => ({
  name: NAMESPACE,
  setup({ onResolve, onLoad, resolve, initialOptions: { absWorkingDir } }) {
    onResolve({ filter: /\.css$/ }, async ({ path, importer, resolveDir, kind, pluginData }) => {
      if (pluginData === NAMESPACE || kind === 'import-rule' || !importers.test(importer.replaceAll('\\', '/'))) return undefined;
      const found = await resolve(path, { resolveDir, kind, importer, pluginData: NAMESPACE });
      return found.errors.length > 0 ? found : { path: found.path, namespace: NAMESPACE, sideEffects: true };
    });
    onLoad({ filter: /.*/, namespace: NAMESPACE }, async ({ path }) => {
      const { outputFiles } = await esbuild({
        absWorkingDir,
        entryPoints: [path],
        bundle: true,
        minify: true,
        write: false,
        logLevel: 'silent',
      });
      const text = JSON.stringify(outputFiles[0]!.text);
      return {
        contents: `const sheet = new CSSStyleSheet(); sheet.replaceSync(${text}); document.adoptedStyleSheets.push(sheet);`,
        watchFiles: [path],
      };
    });
  },
});
