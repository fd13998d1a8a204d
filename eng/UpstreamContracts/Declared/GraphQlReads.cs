using System.Text.Json.Nodes;
using GraphQLParser;
using GraphQLParser.Exceptions;

namespace Bff.UpstreamContracts.Declared;

/// <summary>Finds what a host asks a service in GraphQL: each query, its variables, and what is read of its data.</summary>
internal static class GraphQlReads
{
    public static JsonArray Of(HostReads reads, Schemas schemas, IReadOnlyList<Type> clients)
    {
        var queries = new JsonArray();
        foreach (var call in clients.SelectMany(c => c.GetMethods()).Select(ClientCall.Of).OfType<ClientCall>().Where(c => c.IsGraphQl))
        {
            foreach (var method in reads.Reach.Methods.Where(m => reads.Reach.Body(m).Any(i => Equals(i.Operand, call.Method))))
            {
                var near = call.Method.DeclaringType!.Namespace;
                var query =
                    reads.Reach.Body(method).Select(i => i.Operand).OfType<string>().FirstOrDefault(IsQuery)
                    ?? throw new WrongInputException(
                        $"{method.DeclaringType!.Name}.{method.Name} asks {call.Name}: write its query as a constant, which can be compared with the service's schema."
                    );
                var variables = call
                    .Method.GetParameters()
                    .Select(p => p.ParameterType)
                    .First(t => t.IsGenericType && t.GetGenericTypeDefinition().FullName == "Bff.Upstreams.GraphQlQuery`1");
                queries.Add(
                    (JsonNode)
                        new JsonObject
                        {
                            ["method"] = $"{method.DeclaringType!.Name}.{method.Name}",
                            ["endpoints"] = new JsonArray([.. reads.EndpointsOf(method).Select(e => JsonValue.Create(e))]),
                            ["query"] = query,
                            ["variables"] = schemas.Of(variables.GetGenericArguments()[0], near, sent: true),
                            ["data"] = schemas.Of(call.Answer.GetGenericArguments()[0], near, sent: false),
                        }
                );
            }
        }

        return queries;
    }

    private static bool IsQuery(string text)
    {
        try
        {
            return text.Contains('{', StringComparison.Ordinal) && Parser.Parse(text).Definitions.Count > 0;
        }
        catch (GraphQLSyntaxErrorException)
        {
            return false;
        }
    }
}
