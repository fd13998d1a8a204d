using Bff.Requests;
using GraphQLParser;
using GraphQLParser.AST;
using GraphQLParser.Exceptions;

namespace Bff.Routes.GraphQl;

/// <summary>
/// Facts about a GraphQL document that are known without the service's schema. Fragments count wherever they are spread.
/// </summary>
/// <param name="Depth">Levels of nested fields.</param>
/// <param name="Aliases">Number of aliased fields.</param>
/// <param name="IsWrite">Whether any of its operations is a mutation, executed or not: services differ in which one they execute.</param>
/// <param name="IsStream">Whether any of its operations is a subscription.</param>
/// <param name="Introspects">Whether it reads <c>__schema</c> or <c>__type</c>.</param>
internal sealed record GraphQlDocument(int Depth, int Aliases, bool IsWrite, bool IsStream, bool Introspects)
{
    /// <summary>Maximum length of a document in characters.</summary>
    public const int MaxCharacters = 128 * 1024;

    /// <summary>Maximum number of tokens in a document; each becomes a node of at least a hundred bytes.</summary>
    public const int MaxTokens = 15_000;

    private const int MaxNodes = 512; // Maximum nesting of fields, fragments, and lists and objects in arguments.

    /// <summary>
    /// Reads a document: 1. its tokens are counted before it is parsed; 2. it is parsed; 3. its operations are measured with the fragments
    /// that they spread.
    /// </summary>
    /// <exception cref="ProblemException">The document is malformed, spreads a fragment within itself, or exceeds the fixed
    /// limits.</exception>
    public static GraphQlDocument Read(string text)
    {
        if (text.Length > MaxCharacters)
        {
            throw TooComplex($"A document may have at most {MaxCharacters} characters.");
        }

        try
        {
            CountTokens(text); // 1.
            return new Reader(Parser.Parse(text, new ParserOptions { Ignore = IgnoreOptions.All, MaxDepth = MaxNodes })).Measure(); // 2., 3.
        }
        catch (GraphQLMaxDepthExceededException)
        {
            throw TooComplex("The document is nested too deeply.");
        }
        catch (GraphQLParserException)
        {
            throw Malformed("The document is not well-formed GraphQL.");
        }
    }

    public static ProblemException TooComplex(string detail) => new(new Problem(ProblemCodes.QueryTooComplex) { Detail = detail });

    public static ProblemException Malformed(string detail) => new(new Problem(ProblemCodes.MalformedRequest) { Detail = detail });

    private static void CountTokens(string text)
    {
        var (at, tokens) = (0, 0);
        while (true)
        {
            var token = Lexer.Lex(text, at);
            if (token.Kind == TokenKind.EOF)
            {
                return;
            }

            if (++tokens > MaxTokens)
            {
                throw TooComplex($"A document may have at most {MaxTokens} tokens.");
            }

            at = token.End;
        }
    }

    private readonly record struct Size(int Depth, int Aliases, bool Introspects)
    {
        public Size With(Size part) =>
            new(Math.Max(Depth, part.Depth), (int)Math.Min(int.MaxValue, (long)Aliases + part.Aliases), Introspects || part.Introspects);
    }

    private sealed class Fragment(GraphQLSelectionSet selections)
    {
        public GraphQLSelectionSet Selections => selections;

        public bool IsBeingMeasured { get; set; }

        public Size? Size { get; set; }
    }

    private sealed class Reader
    {
        private readonly Dictionary<string, Fragment> _fragments = new(StringComparer.Ordinal);
        private readonly List<GraphQLOperationDefinition> _operations = [];

        public Reader(GraphQLDocument document)
        {
            var names = new HashSet<string>(StringComparer.Ordinal);
            foreach (var definition in document.Definitions)
            {
                switch (definition)
                {
                    case GraphQLOperationDefinition operation when names.Add(operation.Name?.StringValue ?? ""):
                        _operations.Add(operation);
                        break;
                    case GraphQLFragmentDefinition fragment
                        when _fragments.TryAdd(fragment.FragmentName.Name.StringValue, new(fragment.SelectionSet)):
                        break;
                    case GraphQLOperationDefinition or GraphQLFragmentDefinition:
                        throw Malformed("Two operations or two fragments of the document have the same name."); // Services differ.
                    default:
                        throw Malformed("A document may have operations and fragments only, no type definitions.");
                }
            }

            if (_operations.Count == 0 || (_operations.Count > 1 && names.Contains("")))
            {
                throw Malformed("A document must have one operation, or several that each have a name.");
            }
        }

        public GraphQlDocument Measure()
        {
            var size = default(Size);
            foreach (var operation in _operations)
            {
                size = size.With(Measure(operation.SelectionSet, 0));
            }

            foreach (var fragment in _fragments.Values)
            {
                size = size with { Depth = Math.Max(size.Depth, Measure(fragment, 0).Depth) }; // Includes fragments that nothing spreads.
            }

            return new(
                size.Depth,
                size.Aliases,
                _operations.Exists(o => o.Operation == OperationType.Mutation),
                _operations.Exists(o => o.Operation == OperationType.Subscription),
                size.Introspects
            );
        }

        private Size Measure(GraphQLSelectionSet? selections, int level)
        {
            if (level > MaxNodes)
            {
                throw TooComplex("The document is nested too deeply.");
            }

            var size = default(Size);
            foreach (var selection in selections?.Selections ?? [])
            {
                size = selection switch
                {
                    GraphQLField field => size.With(Measure(field, level + 1)),
                    GraphQLInlineFragment inline => size.With(Measure(inline.SelectionSet, level + 1)),
                    GraphQLFragmentSpread spread when _fragments.TryGetValue(spread.FragmentName.Name.StringValue, out var fragment) =>
                        size.With(Measure(fragment, level + 1)),
                    _ => size, // The service reports an unknown fragment.
                };
            }

            return size;
        }

        private Size Measure(GraphQLField field, int level)
        {
            var below = Measure(field.SelectionSet, level);
            return new(
                below.Depth + 1,
                (int)Math.Min(int.MaxValue, below.Aliases + (field.Alias is null ? 0L : 1L)),
                below.Introspects || field.Name.Value.Span is "__schema" or "__type"
            );
        }

        private Size Measure(Fragment fragment, int level)
        {
            if (fragment.Size is { } known)
            {
                return known;
            }

            if (fragment.IsBeingMeasured)
            {
                throw Malformed("A fragment of the document is spread within itself.");
            }

            fragment.IsBeingMeasured = true;
            var size = Measure(fragment.Selections, level + 1);
            fragment.Size = size;
            return size;
        }
    }
}
