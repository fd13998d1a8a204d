namespace Bff.Edge;

/// <summary>The style sheet of <see cref="ProblemPages"/>, for phone and desktop, light and dark.</summary>
internal static class ProblemPagesStyle
{
    public const string Css = """
        :root { color-scheme: light dark; --ink: #1c2024; --soft: #5b6570; --line: #dde1e6; --card: #fff; --page: #f5f6f8; --accent: #0b57d0; }
        @media (prefers-color-scheme: dark) {
          :root { --ink: #e7eaee; --soft: #a0a9b4; --line: #30363d; --card: #171b20; --page: #0e1116; --accent: #8ab4f8; }
        }
        * { box-sizing: border-box; }
        body { margin: 0; background: var(--page); color: var(--ink); font: 1rem/1.55 system-ui, sans-serif; }
        main { max-width: 46rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
        a { color: var(--accent); text-underline-offset: .15em; }
        a:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
        h1 { font-size: clamp(1.6rem, 1.2rem + 2vw, 2.25rem); line-height: 1.2; margin: 1rem 0 .5rem; }
        h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
        .lead { color: var(--soft); font-size: 1.1rem; margin: 0 0 1.5rem; }
        code, pre { font-family: ui-monospace, monospace; font-size: .9em; }
        pre { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 1rem; white-space: pre-wrap; overflow-wrap: anywhere; }
        dl { background: var(--card); border: 1px solid var(--line); border-radius: 10px; margin: 0; }
        dl div { display: flex; gap: 1rem; padding: .7rem 1rem; }
        dl div + div { border-top: 1px solid var(--line); }
        dt { flex: 0 0 6rem; color: var(--soft); }
        dd { margin: 0; }
        ul { list-style: none; margin: 0; padding: 0; background: var(--card); border: 1px solid var(--line); border-radius: 10px; overflow: hidden; }
        li + li { border-top: 1px solid var(--line); }
        li a { display: grid; grid-template-columns: 3rem 1fr; gap: .1rem .5rem; padding: .7rem 1rem; text-decoration: none; overflow-wrap: anywhere; }
        li a:hover { background: var(--page); }
        .status { color: var(--soft); font-variant-numeric: tabular-nums; }
        .what { grid-column: 2; color: var(--soft); font-size: .92rem; }
        """;
}
