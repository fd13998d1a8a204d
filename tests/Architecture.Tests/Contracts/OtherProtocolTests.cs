using Bff.UpstreamContracts;

namespace Architecture.Tests.Contracts;

/// <summary>Changes the contracts of the sample catalogue (gRPC) and the sample prices (GraphQL) that the gateways read.</summary>
public sealed class OtherProtocolTests : IDisposable
{
    private const string Rpc = "catalog.v1.ProductCatalog/GetProduct";

    private static readonly string Contracts = Path.Combine(Source.Root, "contracts/upstreams");
    private readonly string _folder = Directory.CreateTempSubdirectory("bff-service-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("string brand = 4;", "", "brand of " + Rpc + " is gone; WebBff needs it in product")]
    [InlineData("string brand = 4;", "reserved 4;\n  string brand = 14;", "brand of " + Rpc + " now has the number 14, used as 4")]
    [InlineData("string name = 2;", "int32 name = 2;", "name of " + Rpc + " is now int32, used as string")]
    [InlineData("repeated string gallery = 7;", "string gallery = 7;", "gallery of " + Rpc + " is now string, used as repeated string")]
    [InlineData(
        "map<string, string> attributes = 8;",
        "map<string, int32> attributes = 8;",
        "attributes of " + Rpc + " is now another map"
    )]
    [InlineData("map<string, string> attributes = 8;", "string attributes = 8;", "attributes of " + Rpc + " is now string, used as map")]
    [InlineData("string size = 2;", "", "variants[].size of " + Rpc + " is gone")]
    [InlineData("rpc GetProduct(", "rpc ReadProduct(", Rpc + " is gone")]
    [InlineData("package catalog.v1;", "package catalog.v2;", Rpc + " is gone")]
    [InlineData("returns (Product)", "returns (stream Product)", Rpc + " is now a stream")]
    [InlineData(
        "message GetProductRequest {\n  string id = 1;",
        "message GetProductRequest {\n  int64 id = 1;",
        "id of the request of " + Rpc + " is now int64"
    )]
    public void A_break_of_a_proto_file_is_reported(string from, string to, string line) =>
        Assert.Contains(
            Lines("catalog", "catalog.v1.proto", "contracts/catalog.v1.proto", from, to),
            l => l.Contains(line, StringComparison.Ordinal)
        );

    [Theory]
    [InlineData("string brand = 4;", "string label = 4;")]
    [InlineData("string updated_at = 10;", "string updated_at = 10;\n  string origin = 11;")]
    [InlineData("message Variant {", "message Kind {")]
    [InlineData("rpc GetProducts(GetProductsRequest) returns (GetProductsResponse);", "")]
    public void Details_that_are_not_on_the_wire_may_change(string from, string to) =>
        Assert.Empty(
            Lines(
                "catalog",
                "catalog.v1.proto",
                "contracts/catalog.v1.proto",
                from,
                to,
                text =>
                    from.Contains("Variant", StringComparison.Ordinal)
                        ? text.Replace("repeated Variant", "repeated Kind", StringComparison.Ordinal)
                        : text
            )
        );

    [Theory]
    [InlineData("current: Decimal!", "", "Price.current is gone; MobileBff needs it in product; WebBff needs it in product, products")]
    [InlineData("currency: String!", "currency: String", "pricing.currency of query pricing may now be null")]
    [InlineData("current: Decimal!", "current: String!", "pricing.current of query pricing is now string, read as number")]
    [InlineData("prices(productIds: [ID!]!): [Price!]!", "prices(productIds: [ID!]!): [Price!]", "prices of query prices may now be null")]
    [InlineData("pricing(productId: ID!)", "pricing(id: ID!)", "the argument productId of Query.pricing is gone")]
    [InlineData("pricing(productId: ID!)", "pricing(id: ID!)", "Query.pricing now needs the argument id")]
    [InlineData("pricing(productId: ID!)", "pricing(productId: ID!, region: String!)", "Query.pricing now needs the argument region")]
    [InlineData("pricing(productId: ID!)", "pricing(productId: Int!)", "the argument productId of Query.pricing is now Int!, sent as ID!")]
    [InlineData("pricing(productId: ID!): Price", "", "Query.pricing is gone")]
    [InlineData("percentage: Int!", "percentage: [Int!]!", "pricing.discount.percentage of query pricing is now array, read as number")]
    public void A_break_of_a_graphql_schema_is_reported(string from, string to, string line) =>
        Assert.Contains(
            Lines("pricing", "pricing.graphql", "dev/Upstreams/Contracts/pricing.graphql", from, to),
            l => l.Contains(line, StringComparison.Ordinal)
        );

    [Theory]
    [InlineData("currency: String!", "currency: String!\n  old: Int")]
    [InlineData("percentage: Int!", "percentage: Float!")]
    [InlineData("pricing(productId: ID!)", "pricing(productId: ID, region: String! = \"EU\")")]
    [InlineData("discount: Discount", "discount: Discount!")]
    [InlineData("type Query {", "schema { query: Query }\n\ntype Query {")]
    [InlineData("current: Decimal!", "current: Money!")]
    [InlineData("type Price {\n", "extend type Price { currency: String! }\n\ntype Price {\n")]
    public void Fields_that_a_query_does_not_select_may_change(string from, string to) =>
        Assert.Empty(Lines("pricing", "pricing.graphql", "dev/Upstreams/Contracts/pricing.graphql", from, to));

    private IReadOnlyList<string> Lines(
        string service,
        string name,
        string document,
        string from,
        string to,
        Func<string, string>? also = null
    )
    {
        var text = File.ReadAllText(Path.Combine(Source.Root, document));
        Assert.Contains(from, text, StringComparison.Ordinal);
        var file = Path.Combine(_folder, name);
        text = text.Replace(from, to, StringComparison.Ordinal);
        File.WriteAllText(file, also is null ? text : also(text));
        return ServiceCheck.Run(Contracts, service, file);
    }
}
