using System.Text;

namespace Bff.Bench.References;

/// <summary>
/// Kestrel answers the product page's bytes without a service, cache or credential: the least that an answer of this size can cost.
/// </summary>
internal static class SameBytes
{
    private static readonly byte[] Page = Encoding.UTF8.GetBytes(
        """{"id":"p-1","name":"Product 1","price":129.5,"currency":"EUR","discountPercent":15,"image":"/images/p-1.jpg?w=640","thumb":"/images/p-1.jpg?w=160","rating":4.4,"reviewCount":311,"inStock":true,"_meta":{"degraded":{},"servicesCalled":4,"servicesSucceeded":4,"latencyMs":0}}"""
    );

    public static WebApplication Build(WebApplicationBuilder builder)
    {
        var app = builder.Build();
        app.MapGet(
            "/products/{id}",
            static context =>
            {
                context.Response.ContentType = "application/json; charset=utf-8";
                context.Response.ContentLength = Page.Length;
                return context.Response.Body.WriteAsync(Page, 0, Page.Length);
            }
        );
        return app;
    }
}
