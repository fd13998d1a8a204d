using System.Globalization;
using System.Text.Json.Nodes;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Bff.UpstreamContracts.Checks;

/// <summary>
/// Reads YAML as JSON (YAML 1.2, core schema). Limits nesting and aliases of aliases, with which a few lines could expand to more than fits
/// into memory.
/// </summary>
internal sealed class YamlText
{
    private const int DeepestNesting = 60;
    private const int MostNodes = 500_000;

    private readonly Dictionary<string, (JsonNode? Node, int Size)> _anchors = [];
    private readonly Parser _events;
    private int _nodes;

    private YamlText(string text) => _events = new Parser(new StringReader(text));

    /// <exception cref="YamlException">The text is not YAML.</exception>
    /// <exception cref="WrongInputException">The text exceeds the limits.</exception>
    public static JsonNode? Read(string text)
    {
        var reader = new YamlText(text);
        reader._events.Consume<StreamStart>();
        if (!reader._events.TryConsume<DocumentStart>(out _))
        {
            return null;
        }

        return reader.Node(0);
    }

    private JsonNode? Node(int depth)
    {
        if (depth > DeepestNesting)
        {
            throw new WrongInputException($"The document is nested more than {DeepestNesting} levels deep.");
        }

        var before = Count(1);
        if (_events.TryConsume<AnchorAlias>(out var alias))
        {
            if (!_anchors.TryGetValue(alias.Value.Value, out var known))
            {
                throw new WrongInputException($"The alias *{alias.Value.Value} has no anchor before it.");
            }

            Count(known.Size);
            return known.Node?.DeepClone();
        }

        var anchor = ((NodeEvent)_events.Current!).Anchor;
        JsonNode? node;
        if (_events.TryConsume<Scalar>(out var scalar))
        {
            node = Value(scalar);
        }
        else if (_events.TryConsume<SequenceStart>(out _))
        {
            var list = new JsonArray();
            while (!_events.TryConsume<SequenceEnd>(out _))
            {
                list.Add(Node(depth + 1));
            }

            node = list;
        }
        else
        {
            _events.Consume<MappingStart>();
            var members = new JsonObject();
            while (!_events.TryConsume<MappingEnd>(out _))
            {
                members.Add(_events.Consume<Scalar>().Value, Node(depth + 1));
            }

            node = members;
        }

        if (!anchor.IsEmpty)
        {
            _anchors[anchor.Value] = (node, _nodes - before);
        }

        return node;
    }

    private int Count(int nodes)
    {
        var before = _nodes;
        _nodes += nodes;
        return _nodes <= MostNodes ? before : throw new WrongInputException($"The document has more than {MostNodes} nodes.");
    }

    private static JsonNode? Value(Scalar scalar)
    {
        var text = scalar.Value;
        if (scalar.Style != ScalarStyle.Plain || (!scalar.Tag.IsEmpty && scalar.Tag.Value.EndsWith("str", StringComparison.Ordinal)))
        {
            return text;
        }

        return text switch
        {
            "" or "~" or "null" or "Null" or "NULL" => null,
            "true" or "True" or "TRUE" => true,
            "false" or "False" or "FALSE" => false,
            _ when long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) => number,
            _ when IsNumber(text) && decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) => number,
            _ => text,
        };
    }

    // A date is not a number, nor is a version such as 1.0.0.
    private static bool IsNumber(string text) =>
        text.All(c => char.IsAsciiDigit(c) || c is '.' or '-' or '+' or 'e' or 'E') && text.Any(char.IsAsciiDigit);
}
