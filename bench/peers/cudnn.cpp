#include "bench/peers/cudnn.h"

namespace bifrons::bench {

namespace {

class Cudnn : public Library {
  public:
    Cudnn() { check_cudnn(cudnnCreate(&handle_), "starting"); }
    std::string version() const override
    {
        const std::size_t v = cudnnGetVersion();
        return str("cuDNN ", v / 10000, ".", v % 10000 / 100, ".", v % 100,
                   BIFRONS_HAS_CUDNN_FRONTEND ? "" : ", no graphs");
    }
    std::vector<std::unique_ptr<Plan>> plans(const Product& product, void* stream, const ProductOperands& operands,
                                             kernels::Workspace workspace, std::string& why_none) override
    {
        check_cudnn(cudnnSetStream(handle_, static_cast<cudaStream_t>(stream)), "choosing the stream");
        std::vector<std::unique_ptr<Plan>> plans;
        for (const auto way : ways()) {
            try {
                plans.push_back(way(handle_, product, operands, workspace));
            } catch (const std::exception& e) {
                why_none += (why_none.empty() ? "" : "; ") + std::string(e.what());
            }
        }
        return plans;
    }

  private:
    using Way = decltype(&find_plan);
    static std::vector<Way> ways()
    {
#if BIFRONS_HAS_CUDNN_FRONTEND
        return {find_plan, graph_plan};
#else
        return {find_plan};
#endif
    }

    cudnnHandle_t handle_ = nullptr;
};

} // namespace

} // namespace bifrons::bench

bifrons::bench::Library* bifrons_peer_library()
{
    static bifrons::bench::Cudnn cudnn;
    return &cudnn;
}
