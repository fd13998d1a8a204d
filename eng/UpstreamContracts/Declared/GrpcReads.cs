using System.Reflection;
using System.Text.Json.Nodes;

namespace Bff.UpstreamContracts.Declared;

/// <summary>
/// Finds what a host asks a service over gRPC: each method, the fields that the host sets in the request message, and the fields that it
/// reads of the answer. A field is used where code names the generated member of its message.
/// </summary>
internal static class GrpcReads
{
    public static JsonArray Of(HostReads reads, IReadOnlyList<Type> clients)
    {
        var calls = new JsonArray();
        foreach (var method in clients.Where(c => c.IsClass).SelectMany(Methods))
        {
            if (
                !reads
                    .Reach.Body(method)
                    .Select(i => i.Operand)
                    .OfType<MethodInfo>()
                    .Any(m => m.Name == "Read" && m.DeclaringType is { IsGenericType: true } on && IsClient(on))
            )
            {
                continue;
            }

            var rpc =
                reads
                    .Reach.From([method])
                    .SelectMany(m => reads.Reach.Body(m))
                    .Select(i => i.Operand)
                    .OfType<MethodInfo>()
                    .FirstOrDefault(IsRpc)
                ?? throw new WrongInputException(
                    $"{method.DeclaringType!.Name}.{method.Name}: give GrpcClient.Read a method of the generated client."
                );
            var (request, answer) = (rpc.GetParameters()[0].ParameterType, rpc.ReturnType.GetGenericArguments()[0]);
            var used = Used(reads, method);
            calls.Add(
                (JsonNode)
                    new JsonObject
                    {
                        ["method"] = $"{method.DeclaringType!.Name}.{method.Name}",
                        ["endpoints"] = new JsonArray([.. reads.EndpointsOf(method).Select(e => JsonValue.Create(e))]),
                        ["rpc"] = Name(rpc),
                        ["sends"] = Message(request, used, isSent: true, []),
                        ["reads"] = Message(answer, used, isSent: false, []),
                    }
            );
        }

        return calls;
    }

    private static bool IsClient(Type type) => type.GetGenericTypeDefinition().FullName == "Bff.Upstreams.GrpcClient`1";

    private static bool IsRpc(MethodInfo method) =>
        method.DeclaringType?.BaseType is { IsGenericType: true } type
        && type.GetGenericTypeDefinition().FullName == "Grpc.Core.ClientBase`1"
        && method.Name.EndsWith("Async", StringComparison.Ordinal);

    /// <summary>Returns the name, in the service's contract, of the method that a generated client calls.</summary>
    private static string Name(MethodInfo method)
    {
        dynamic service = method
            .DeclaringType!.DeclaringType!.GetProperty("Descriptor", BindingFlags.Public | BindingFlags.Static)!
            .GetValue(null)!;
        return $"{service.FullName}/{method.Name[..^"Async".Length]}";
    }

    private static IEnumerable<MethodInfo> Methods(Type client) =>
        client.GetMethods(
            BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly
        );

    /// <summary>Returns the members of messages that code names, as <c>get_Id</c> and <c>set_Id</c>.</summary>
    private static HashSet<(Type Message, string Member)> Used(HostReads reads, MethodInfo method) =>
        reads
            .Reach.From([method])
            .Where(m => !IsMessage(m.DeclaringType!))
            .SelectMany(m => reads.Reach.Body(m))
            .Select(i => i.Operand)
            .OfType<MethodInfo>()
            .Where(m => IsMessage(m.DeclaringType!))
            .Select(m => (m.DeclaringType!, m.Name))
            .ToHashSet();

    private static bool IsMessage(Type type) => type.GetInterface("Google.Protobuf.IMessage") is not null;

    private static JsonObject Message(Type message, HashSet<(Type Message, string Member)> used, bool isSent, IReadOnlyList<Type> within)
    {
        dynamic descriptor = message.GetProperty("Descriptor", BindingFlags.Public | BindingFlags.Static)!.GetValue(null)!;
        var fields = new JsonObject();
        foreach (var field in descriptor.Fields.InDeclarationOrder())
        {
            string property = field.PropertyName;
            // Lists and maps are filled through their getter.
            if (used.Contains((message, "get_" + property)) || (isSent && used.Contains((message, "set_" + property))))
            {
                fields[(string)field.Name] = Field(message, property, field, used, isSent, within);
            }
        }

        return new() { ["message"] = (string)descriptor.FullName, ["fields"] = fields };
    }

    private static JsonObject Field(
        Type message,
        string property,
        dynamic field,
        HashSet<(Type, string)> used,
        bool isSent,
        IReadOnlyList<Type> within
    )
    {
        var type = message.GetProperty(property)!.PropertyType;
        var said = new JsonObject { ["number"] = (int)field.FieldNumber };
        if ((bool)field.IsMap)
        {
            dynamic key = field.MessageType.FindFieldByNumber(1);
            dynamic value = field.MessageType.FindFieldByNumber(2);
            said["map"] = new JsonArray(Kind(key), Kind(value));
            return said;
        }

        said["type"] = Kind(field);
        if ((bool)field.IsRepeated)
        {
            said["repeated"] = true;
            type = type.GetGenericArguments()[0];
        }

        if (IsMessage(type) && !within.Contains(type))
        {
            said["of"] = Message(type, used, isSent, [.. within, message]);
        }

        return said;
    }

    private static JsonValue Kind(dynamic field) => JsonValue.Create(((object)field.FieldType).ToString()!.ToLowerInvariant());
}
