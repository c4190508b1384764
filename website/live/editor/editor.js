// The editor of live pages: CodeMirror with Python, brackets, indentation and a way out by keyboard.
import { autocompletion, closeBrackets, closeBracketsKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentLess, indentMore } from "@codemirror/commands";
import { python } from "@codemirror/lang-python";
import { bracketMatching, HighlightStyle, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { EditorState } from "@codemirror/state";
import { EditorView, keymap } from "@codemirror/view";
import { tags } from "@lezer/highlight";

// The classes of the page's own code, so that a cell looks the same before and while it is edited.
const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword, tags.controlKeyword, tags.definitionKeyword, tags.moduleKeyword], class: "k" },
  { tag: [tags.string, tags.special(tags.string)], class: "s1" },
  { tag: tags.number, class: "mf" },
  { tag: [tags.bool, tags.null], class: "kc" },
  { tag: tags.comment, class: "c1" },
  { tag: [tags.operator, tags.compareOperator, tags.arithmeticOperator], class: "o" },
  { tag: tags.function(tags.definition(tags.variableName)), class: "nf" },
]);

let leaving = false; // after Escape, Tab leaves the editor instead of indenting

window.openEditor = (parent, source, label, run, changed) => {
  const tab = (command) => (view) => !leaving && command(view);
  const view = new EditorView({
    parent,
    state: EditorState.create({
      doc: source,
      extensions: [
        history(),
        python(),
        indentUnit.of("    "),
        indentOnInput(),
        bracketMatching(),
        closeBrackets(),
        autocompletion({ activateOnTyping: false }),
        syntaxHighlighting(colours),
        EditorView.contentAttributes.of({
          "aria-label": label,
          "aria-description": "Shift+Enter runs the cell. Escape, then Tab, leaves the editor.",
          spellcheck: "false",
        }),
        keymap.of([
          { key: "Shift-Enter", run: () => (run(), true) },
          { key: "Ctrl-Enter", mac: "Cmd-Enter", run: () => (run(), true) },
          { key: "Escape", run: () => ((leaving = true), true) },
          { key: "Tab", run: tab(indentMore), shift: tab(indentLess) },
          ...closeBracketsKeymap,
          ...historyKeymap,
          ...defaultKeymap,
        ]),
        EditorView.updateListener.of((update) => update.docChanged && changed(update.state.doc.toString())),
        EditorView.domEventHandlers({
          focus: () => ((leaving = false), false),
          keydown: (event) => (event.key === "Escape" || event.key === "Tab" || (leaving = false), false),
        }),
      ],
    }),
  });
  return {
    get source() {
      return view.state.doc.toString();
    },
    set source(text) {
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
    },
    focus: () => view.focus(),
    close: () => view.destroy(),
  };
};
