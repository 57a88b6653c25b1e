import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import {
  type CompletionItem,
  createProtocolConnection,
  type Diagnostic,
  type Hover,
  type PublishDiagnosticsParams,
  StreamMessageReader,
  StreamMessageWriter,
} from "vscode-languageserver-protocol/node.js";

/**
 * A running YAML language server, as editors use it. The server has one workspace. As in LSP, lines and characters are
 * counted from 0.
 */
export interface LanguageServer {
  /**
   * Opens a file of the workspace in the server. Returns the server's diagnostics for the file.
   *
   * @param text text in the editor (default: the text of the file on disk)
   */
  open(file: string, text?: string): Promise<Diagnostic[]>;
  complete(file: string, line: number, character: number): Promise<CompletionItem[]>;
  hover(file: string, line: number, character: number): Promise<string>;
  /**
   * Stops the server. Throws if the server had an internal error. The server reports internal errors only as telemetry.
   */
  stop(): Promise<void>;
}

/** Starts the server. @param schemas value of the setting `yaml.schemas`: file patterns by schema */
export async function startLanguageServer(
  workspace: string,
  schemas: Readonly<Record<string, string>> = {},
): Promise<LanguageServer> {
  const server = join(createRequire(import.meta.url).resolve("yaml-language-server/package.json"), "../bin/yaml-language-server");
  const child = spawn(process.execPath, [server, "--stdio"], { cwd: workspace, stdio: ["pipe", "pipe", "inherit"] });
  const exited = new Promise<number | null>((done) => child.once("exit", done));
  const connection = createProtocolConnection(new StreamMessageReader(child.stdout), new StreamMessageWriter(child.stdin));
  const settings: Readonly<Record<string, unknown>> = {
    yaml: {
      validate: true,
      hover: true,
      completion: true,
      schemas,
      schemaStore: { enable: false },
      kubernetesCRDStore: { enable: false },
    },
    "[yaml]": { "editor.tabSize": 2 },
  };
  const failures: unknown[] = [];
  const waiting = new Map<string, (found: Diagnostic[]) => void>();
  const configured = new Promise<void>((done) => {
    connection.onRequest("workspace/configuration", ({ items }: { items: { section: string }[] }) => {
      done();
      return items.map(({ section }) => settings[section] ?? null);
    });
  });
  connection.onRequest("client/registerCapability", () => null);
  connection.onNotification("telemetry/event", (event) => failures.push(event));
  connection.onNotification("textDocument/publishDiagnostics", ({ uri, diagnostics }: PublishDiagnosticsParams) => {
    waiting.get(uri)?.(diagnostics);
    waiting.delete(uri);
  });
  connection.listen();
  const rootUri = pathToFileURL(workspace).href;
  await connection.sendRequest("initialize", {
    processId: process.pid,
    rootUri,
    workspaceFolders: [{ uri: rootUri, name: "workspace" }],
    capabilities: {
      workspace: { configuration: true, workspaceFolders: true },
      textDocument: { hover: { contentFormat: ["markdown"] } },
    },
  });
  await connection.sendNotification("initialized", {});
  // After `initialized`, the server requests its settings. The test opens files only after this request. Before this
  // request, the server would check a file without the settings.
  await configured;
  const place = (file: string, line: number, character: number): object => ({
    textDocument: { uri: uriOf(file) },
    position: { line, character },
  });
  const uriOf = (file: string): string => pathToFileURL(join(workspace, file)).href;
  return {
    open: async (file, text = readFileSync(join(workspace, file), "utf8")) => {
      const found = new Promise<Diagnostic[]>((done) => waiting.set(uriOf(file), done));
      await connection.sendNotification("textDocument/didOpen", {
        textDocument: { uri: uriOf(file), languageId: "yaml", version: 1, text },
      });
      return found;
    },
    complete: async (file, line, character) => {
      const answer = await connection.sendRequest<CompletionItem[] | { items: CompletionItem[] }>(
        "textDocument/completion",
        place(file, line, character),
      );
      return Array.isArray(answer) ? answer : answer.items;
    },
    hover: async (file, line, character) => {
      const answer = await connection.sendRequest<Hover | null>("textDocument/hover", place(file, line, character));
      return answer === null ? "" : (answer.contents as { value: string }).value;
    },
    stop: async () => {
      await connection.sendRequest("shutdown");
      await connection.sendNotification("exit");
      await exited;
      if (failures.length > 0) throw new Error(`the server broke down: ${JSON.stringify(failures[0])}`);
    },
  };
}
