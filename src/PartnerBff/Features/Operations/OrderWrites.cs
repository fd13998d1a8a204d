using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Bff.Composition;
using Bff.Edge;
using Bff.Upstreams;
using PartnerBff.Upstreams;

namespace PartnerBff.Features.Operations;

/// <summary>Writes go to the service once, or again under the partner's own key.</summary>
internal static class OrderWrites
{
    private const int PatienceMilliseconds = 3000; // The request's deadline is the smaller one.

    public static async Task<IResult> Place<T>(HttpContext context, Composer composer, OrdersClient orders, Func<Order, T> shape, JsonTypeInfo<T> type)
    {
        OrderRequest? request;
        try
        {
            request = await JsonSerializer.DeserializeAsync(context.Request.Body, PartnerJson.Default.OrderRequest, context.RequestAborted);
        }
        catch (JsonException)
        {
            request = null;
        }

        if (request is null)
        {
            return new Problem(ProblemCodes.MalformedRequest);
        }

        if (request.Objection() is { } objection)
        {
            return objection;
        }

        var key = context.Request.Headers["Idempotency-Key"].ToString();
        var placed = composer.Required("order", t => orders.Place(request.ToUpstream(), key, t)).Timeout(PatienceMilliseconds);
        var failure = await composer.Run();
        if (failure is not null)
        {
            return failure;
        }

        return TypedResults.Json(shape(placed.Value!), type, statusCode: 201);
    }
}
