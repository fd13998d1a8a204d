using System.Text.Json.Nodes;
using Google.Protobuf.Reflection;

namespace Bff.UpstreamContracts.Checks;

/// <summary>
/// Compares what a gateway uses of gRPC methods with a service's <c>.proto</c>. On the wire a field is its number and its type; names of
/// fields and messages may change (protobuf.dev, "Updating a Message Type").
/// </summary>
internal static class GrpcCheck
{
    private const int DeepestNesting = 100;

    // Types that are read the same way.
    private static readonly string[][] Alike =
    [
        ["int32", "uint32", "int64", "uint64", "bool", "enum"],
        ["sint32", "sint64"],
        ["string", "bytes"],
        ["fixed32", "sfixed32"],
        ["fixed64", "sfixed64"],
    ];

    /// <exception cref="WrongInputException">The file is not a <c>.proto</c> file, or imports one that is not beside it.</exception>
    public static Func<JsonObject, IEnumerable<Finding>> Of(string file)
    {
        var text = File.ReadAllText(file);
        var depth = 0;
        foreach (var letter in text)
        {
            depth +=
                letter is '{' or '[' or '(' ? 1
                : letter is '}' or ']' or ')' ? -1
                : 0;
            if (depth > DeepestNesting)
            {
                throw new WrongInputException($"The document is nested more than {DeepestNesting} levels deep.");
            }
        }

        var set = new FileDescriptorSet();
        set.AddImportPath(Path.GetDirectoryName(Path.GetFullPath(file))!);
        set.Add(Path.GetFileName(file), true, new StringReader(text));
        set.Process();
        if (set.GetErrors().Where(e => e.IsError).ToList() is { Count: > 0 } errors)
        {
            throw new WrongInputException(string.Join('\n', errors.Take(5).Select(e => $"line {e.LineNumber}: {e.Message}")));
        }

        var messages = new Dictionary<string, DescriptorProto>();
        var methods = new Dictionary<string, MethodDescriptorProto>();
        foreach (var proto in set.Files)
        {
            var package = string.IsNullOrEmpty(proto.Package) ? "" : "." + proto.Package;
            proto.MessageTypes.ForEach(m => Add(messages, package, m));
            foreach (var (service, method) in proto.Services.SelectMany(s => s.Methods.Select(m => (s, m))))
            {
                methods[$"{package}.{service.Name}/{method.Name}".TrimStart('.')] = method;
            }
        }

        return methods.Count > 0
            ? contract => Run(contract, methods, messages)
            : throw new WrongInputException("The document has no service.");
    }

    private static void Add(Dictionary<string, DescriptorProto> messages, string within, DescriptorProto message)
    {
        var name = $"{within}.{message.Name}";
        messages[name] = message;
        message.NestedTypes.ForEach(m => Add(messages, name, m));
    }

    private static IEnumerable<Finding> Run(
        JsonObject contract,
        Dictionary<string, MethodDescriptorProto> methods,
        Dictionary<string, DescriptorProto> messages
    )
    {
        foreach (var call in Shape.List(contract["x-grpc"]))
        {
            var rpc = (string)call["rpc"]!;
            string[] endpoints = [.. Shape.List(call["endpoints"]).Select(e => (string)e!)];
            if (!methods.TryGetValue(rpc, out var method))
            {
                yield return new($"{rpc} is gone", "needs it", endpoints);
                continue;
            }

            if (method.ClientStreaming || method.ServerStreaming)
            {
                yield return new($"{rpc} is now a stream", "needs one answer to one question", endpoints);
            }

            foreach (
                var difference in Differences("", call["reads"]!, method.OutputType, messages)
                    .Select(d => new Finding($"{d.Path} of {rpc} {d.What}", "needs it", endpoints))
                    .Concat(
                        Differences("", call["sends"]!, method.InputType, messages)
                            .Select(d => new Finding($"{d.Path} of the request of {rpc} {d.What}", "sends it", endpoints))
                    )
                    .Concat(
                        NewlyRequired(call["sends"]!, method.InputType, messages)
                            .Select(f => new Finding($"{f} of the request of {rpc} is now required", "does not send it", endpoints))
                    )
            )
            {
                yield return difference;
            }
        }
    }

    private static IEnumerable<(string Path, string What)> Differences(
        string path,
        JsonNode used,
        string type,
        Dictionary<string, DescriptorProto> messages
    )
    {
        var offered = messages.GetValueOrDefault(type);
        foreach (var (name, field) in used["fields"]!.AsObject())
        {
            var at = path.Length == 0 ? name : $"{path}.{name}";
            var number = (int)field!["number"]!;
            if (offered?.Fields.FirstOrDefault(f => f.Number == number) is not { } now)
            {
                var moved = offered?.Fields.FirstOrDefault(f => f.Name == name);
                yield return (at, moved is null ? "is gone" : $"now has the number {moved.Number}, used as {number}");
                continue;
            }

            var isMap = messages.GetValueOrDefault(now.TypeName ?? "") is { Options.MapEntry: true };
            var isList = now.label == FieldDescriptorProto.Label.LabelRepeated;
            if (field["map"] is JsonArray map)
            {
                var entry = isMap ? messages[now.TypeName!] : null;
                if (entry is null || !IsAlike((string)map[0]!, Kind(entry.Fields[0])) || !IsAlike((string)map[1]!, Kind(entry.Fields[1])))
                {
                    yield return (at, $"is now {(isMap ? "another map" : Text(now, isList))}, used as map of {map[0]} to {map[1]}");
                }

                continue;
            }

            var (kind, many) = ((string)field["type"]!, (bool?)field["repeated"] == true);
            if (isMap || many != isList || !IsAlike(kind, Kind(now)))
            {
                yield return (at, $"is now {(isMap ? "map" : Text(now, isList))}, used as {(many ? "repeated " : "")}{kind}");
            }
            else if (field["of"] is { } inner)
            {
                foreach (var difference in Differences(at + (many ? "[]" : ""), inner, now.TypeName!, messages))
                {
                    yield return difference;
                }
            }
        }
    }

    /// <summary>Only Proto2 has required fields.</summary>
    private static IEnumerable<string> NewlyRequired(JsonNode used, string type, Dictionary<string, DescriptorProto> messages) =>
        (messages.GetValueOrDefault(type)?.Fields ?? [])
            .Where(f => f.label == FieldDescriptorProto.Label.LabelRequired)
            .Where(f => !used["fields"]!.AsObject().Any(u => (int)u.Value!["number"]! == f.Number))
            .Select(f => f.Name);

    private static bool IsAlike(string one, string other) => one == other || Alike.Any(a => a.Contains(one) && a.Contains(other));

    private static string Kind(FieldDescriptorProto field) =>
        field.type.ToString().Replace("Type", "", StringComparison.Ordinal).ToLowerInvariant();

    private static string Text(FieldDescriptorProto field, bool isList) => (isList ? "repeated " : "") + Kind(field);
}
