using System.Text.Json.Nodes;
using GraphQLParser;
using GraphQLParser.AST;
using GraphQLParser.Exceptions;

namespace Bff.UpstreamContracts.Checks;

/// <summary>Compares the queries that a gateway sends with a service's GraphQL schema (SDL).</summary>
internal static class GraphQlCheck
{
    /// <exception cref="WrongInputException">The text is not a schema.</exception>
    public static Func<JsonObject, IEnumerable<Finding>> Of(string text)
    {
        GraphQLDocument document;
        try
        {
            document = Parser.Parse(text);
        }
        catch (Exception broken) when (broken is GraphQLSyntaxErrorException or GraphQLMaxDepthExceededException)
        {
            throw new WrongInputException($"The document is not a GraphQL schema: {broken.Message}");
        }

        var schema = new SdlSchema(document);
        return schema.HasQueries
            ? contract => Shape.List(contract["x-graphql"]).SelectMany(call => Run(contract, call, schema))
            : throw new WrongInputException("The schema has no query type.");
    }

    private static List<Finding> Run(JsonObject contract, JsonNode call, SdlSchema schema)
    {
        var findings = new List<Finding>();
        string[] endpoints = [.. Shape.List(call["endpoints"]).Select(e => (string)e!)];
        var query = Parser.Parse((string)call["query"]!);
        var fragments = query.Definitions.OfType<GraphQLFragmentDefinition>().ToDictionary(f => f.FragmentName.Name.StringValue);
        var operation = query.Definitions.OfType<GraphQLOperationDefinition>().Single();
        var variables = operation.Variables?.Items.ToDictionary(v => v.Variable.Name.StringValue) ?? [];
        var name = $"{operation.Operation.ToString().ToLowerInvariant()} {Asked(operation)}";
        var (types, taken) = new QueryVariables(schema).Of(variables.Values);
        new Comparison(contract, types, formats: false).Sent(
            "",
            call["variables"],
            taken,
            (path, what) => findings.Add(new($"{path} of the variables of {name} {what}", "sends it", endpoints))
        );
        var answer = new QueryAnswer(schema, fragments, variables, (text, need) => findings.Add(new(text, need, endpoints))).Of(operation);
        if (answer is not null)
        {
            new Comparison(contract, new JsonObject(), formats: false).Read(
                "",
                call["data"],
                answer,
                (path, what) =>
                {
                    if (what != "is gone") // A field that the schema has lost is already reported.
                    {
                        findings.Add(new($"{path} of {name} {what}", "needs it", endpoints));
                    }
                }
            );
        }

        return findings;
    }

    private static string Asked(GraphQLOperationDefinition operation) =>
        string.Join(", ", operation.SelectionSet.Selections.OfType<GraphQLField>().Select(f => f.Name.StringValue));
}
