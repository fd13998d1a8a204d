using Bff.Routes;
using Bff.Upstreams;

namespace WebBff.Features.Orders;

/// <summary>Passed through, once: the service knows whose order it is and whether it can still be cancelled.</summary>
internal static class CancelOrder
{
    public static Task Handle(string id, HttpContext context, PassThrough through) =>
        through.Send(context, "orders", $"/orders/{PathSegment.Of(id)}/cancel");
}
