using System.Text.Json.Serialization;
using Bff.Edge;

namespace PartnerBff.Features.Operations;

/// <summary>Orders to place together. Each succeeds or fails by itself.</summary>
/// <param name="Orders">1 to 100 orders.</param>
public sealed record BatchRequest(IReadOnlyList<OrderRequest> Orders)
{
    internal const int MaxOrders = 100;
}

/// <summary>The result of each order, in the order of the request.</summary>
/// <param name="Succeeded">Number of orders that were placed.</param>
/// <param name="Failed">Number of orders that were not.</param>
public sealed record BatchAnswer<T>(IReadOnlyList<BatchResult<T>> Results, int Succeeded, int Failed);

/// <summary>The result of one order: <paramref name="Order"/> or <paramref name="Error"/>.</summary>
/// <param name="Index">Position in the request, from 0.</param>
/// <param name="Status">The HTTP status that the order alone would have had.</param>
public sealed record BatchResult<T>(
    int Index,
    string? Reference,
    int Status,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] T? Order,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] ItemError? Error
);
