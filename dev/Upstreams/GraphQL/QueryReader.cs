using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Bff.Dev.Upstreams.GraphQL;

internal sealed record Field(string Alias, string Name, IReadOnlyDictionary<string, object?> Arguments, IReadOnlyList<Field> Selections);

internal sealed class GraphQLException(string message) : Exception(message);

/// <summary>
/// Reads one query operation with fields, aliases, arguments and variables. Fragments, directives and the other operations
/// are refused by name: the contract needs none of them.
/// </summary>
internal sealed class QueryReader
{
    private const int MaxDepth = 8;

    private readonly string text;
    private readonly Dictionary<string, object?> variables = [];
    private int at;

    private QueryReader(string text, JsonElement given)
    {
        this.text = text;
        if (given.ValueKind != JsonValueKind.Object) return;
        foreach (var member in given.EnumerateObject()) variables[member.Name] = Plain(member.Value);
    }

    public static IReadOnlyList<Field> Read(string query, JsonElement variables)
    {
        var reader = new QueryReader(query, variables);
        reader.Skip();
        if (reader.Peek != '{')
        {
            if (reader.Name() != "query") throw new GraphQLException("Only queries are supported.");
            if (reader.Peek is not ('(' or '{')) reader.Name();
            if (reader.Peek == '(') reader.VariableDefinitions();
        }
        var fields = reader.Selections(depth: 1);
        return reader.Peek == '\0' ? fields : throw reader.Unexpected();
    }

    private char Peek => at < text.Length ? text[at] : '\0';

    private void VariableDefinitions()
    {
        Take('(');
        while (Peek != ')')
        {
            Take('$');
            var name = Name();
            Take(':');
            var required = Type(depth: 1);
            if (Peek == '=')
            {
                Take('=');
                variables.TryAdd(name, Value(depth: 1));
            }
            if (required && variables.GetValueOrDefault(name) is null) throw new GraphQLException($"Variable ${name} is required.");
            variables.TryAdd(name, null);
        }
        Take(')');
    }

    private bool Type(int depth)
    {
        if (depth > MaxDepth) throw new GraphQLException("The query is too deep.");
        if (Peek == '[')
        {
            Take('[');
            Type(depth + 1);
            Take(']');
        }
        else
        {
            Name();
        }
        if (Peek != '!') return false;
        Take('!');
        return true;
    }

    private List<Field> Selections(int depth)
    {
        if (depth > MaxDepth) throw new GraphQLException("The query is too deep.");
        Take('{');
        var fields = new List<Field>();
        while (Peek != '}') fields.Add(Selection(depth));
        Take('}');
        return fields.Count > 0 ? fields : throw new GraphQLException("A selection is empty.");
    }

    private Field Selection(int depth)
    {
        if (Peek == '.') throw new GraphQLException("Fragments are not supported.");
        var alias = Name();
        var name = alias;
        if (Peek == ':')
        {
            Take(':');
            name = Name();
        }
        var arguments = new Dictionary<string, object?>();
        if (Peek == '(')
        {
            Take('(');
            while (Peek != ')')
            {
                var argument = Name();
                Take(':');
                arguments[argument] = Value(depth);
            }
            Take(')');
        }
        return new Field(alias, name, arguments, Peek == '{' ? Selections(depth + 1) : []);
    }

    private object? Value(int depth)
    {
        if (depth > MaxDepth) throw new GraphQLException("The query is too deep.");
        switch (Peek)
        {
            case '$':
                Take('$');
                var name = Name();
                return variables.TryGetValue(name, out var value) ? value : throw new GraphQLException($"Variable ${name} is not defined.");
            case '"':
                return String();
            case '[':
                Take('[');
                var items = new List<object?>();
                while (Peek != ']') items.Add(Value(depth + 1));
                Take(']');
                return items;
            case '-' or (>= '0' and <= '9'):
                var start = at;
                while (Peek is '-' or '+' or '.' or 'e' or 'E' or (>= '0' and <= '9')) at++;
                var number = text[start..at];
                Skip();
                // An ID may be written as a number, and reads as its text.
                return number;
            default:
                return Name() switch { "true" => true, "false" => false, "null" => null, var other => other };
        }
    }

    private string String()
    {
        var content = new StringBuilder();
        for (at++; Peek != '"'; at++)
        {
            if (Peek is '\0' or '\n') throw new GraphQLException("A string has no end.");
            if (Peek != '\\')
            {
                content.Append(Peek);
                continue;
            }
            at++;
            if (Peek == 'u' && at + 4 < text.Length && ushort.TryParse(text.AsSpan(at + 1, 4), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var code))
            {
                content.Append((char)code);
                at += 4;
                continue;
            }
            content.Append(Peek switch { 'n' => '\n', 't' => '\t', 'r' => '\r', 'b' => '\b', 'f' => '\f', '"' or '\\' or '/' => Peek, _ => throw Unexpected() });
        }
        at++;
        Skip();
        return content.ToString();
    }

    private string Name()
    {
        var start = at;
        while (Peek == '_' || char.IsAsciiLetter(Peek) || (at > start && char.IsAsciiDigit(Peek))) at++;
        if (at == start) throw Unexpected();
        var name = text[start..at];
        Skip();
        return name;
    }

    private void Take(char expected)
    {
        if (Peek != expected) throw Unexpected();
        at++;
        Skip();
    }

    /// <summary>White space, commas and comments mean nothing.</summary>
    private void Skip()
    {
        while (at < text.Length && (char.IsWhiteSpace(text[at]) || text[at] is ',' or '\ufeff' or '#'))
        {
            if (text[at] != '#') at++;
            else while (at < text.Length && text[at] != '\n') at++;
        }
    }

    private GraphQLException Unexpected() =>
        new(at < text.Length ? $"Unexpected '{text[at]}' at {at}." : "The query ends too early.");

    private static object? Plain(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString(),
        JsonValueKind.Number => value.GetRawText(),
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        JsonValueKind.Array => value.EnumerateArray().Select(Plain).ToList(),
        _ => null,
    };
}
