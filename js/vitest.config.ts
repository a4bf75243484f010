import { defineConfig } from "vitest/config";

// Tests that need a document are *.test.tsx or *.dom.test.ts; the others start much faster.
const DOM = ["test/**/*.test.tsx", "test/**/*.dom.test.ts"];

const shared = {
  esbuild: { jsx: "automatic", jsxImportSource: "preact" },
} as const;

export default defineConfig({
  test: {
    projects: [
      {
        ...shared,
        test: {
          name: "pure",
          environment: "node",
          include: ["test/**/*.test.ts"],
          exclude: DOM,
          restoreMocks: true,
        },
      },
      {
        ...shared,
        test: { name: "dom", environment: "happy-dom", include: DOM, restoreMocks: true },
      },
    ],
  },
});
